"""All runs of a workspace as summaries, kept up to date at little cost: what has ended is read once, what lives is
followed by byte offset."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from dlkit.events import last_of, steps_of
from dlkit.jobs.follow import Tail
from dlkit.monitor.json_lines import BAD, parse
from dlkit.runs.files import file_size
from dlkit.runs.folder import ENDED, RunFolder, Summary, current_state, disk_use, summarise
from dlkit.runs.index import newest_runs, signatures

HISTORY = 1 << 18
"""Bytes at the end of a log that a run's best so far is taken from, when it is first seen alive."""
BESTS = 1000
"""How many of a live run's successive best values are kept."""
SIZE_SECONDS = 10.0
"""Between two measurements of what a live run takes on the disk."""
DEAD_SECONDS = 3.0
"""Between two looks at runs whose writer is gone."""
SHARE = 25
"""Looking for new and changed folders may take one part in so many of the time."""


class Runs:
    """``poll()``, called by one thread, gives all summaries, newest first, if any of them changed."""

    def __init__(self, workspace: Path) -> None:
        self.workspace = workspace
        self._known: dict[str, tuple[str, Summary]] = {}
        self._live: dict[str, LiveRun] = {}
        self._looked, self._took = -1e9, 0.0
        self._followed = -1e9
        self._told: Sequence[Summary] | None = None

    def poll(self) -> Sequence[Summary] | None:
        changed = self._told is None
        if time.monotonic() - self._looked >= SHARE * self._took:
            began = time.monotonic()
            changed |= self._look()
            self._looked, self._took = time.monotonic(), time.monotonic() - began
        changed |= self._follow()
        if not changed:
            return None
        found = sorted((s for _, s in self._known.values()), key=lambda s: (s.created, s.id), reverse=True)
        self._told = found
        return found

    def _look(self) -> bool:
        """New, changed and vanished folders."""
        if self._told is None:
            return self._first_look()
        there = signatures(f"{self.workspace}/runs")
        changed = False
        for name in self._known.keys() - there.keys():
            del self._known[name]
            self._live.pop(name, None)
            changed = True
        for name, signature in there.items():
            if name not in self._known or self._known[name][0] != signature:
                self._take(signature, summarise(RunFolder(self.workspace / "runs" / name)))
                changed = True
        return changed

    def _first_look(self) -> bool:
        there = signatures(f"{self.workspace}/runs")
        for summary in newest_runs(self.workspace)[0]:
            self._take(there.get(summary.id, "-"), summary)
        return True

    def _take(self, signature: str, summary: Summary) -> None:
        self._known[summary.id] = signature, summary
        if summary.state in (*ENDED, "damaged", "queued") or summary.state.endswith("(newer format)"):
            self._live.pop(summary.id, None)
        else:
            live = self._live.get(summary.id)
            self._live[summary.id] = LiveRun(self._folder(summary.id), summary) if live is None else live.renewed()

    def _follow(self) -> bool:
        """Those that live; of the others run.json tells when somebody goes on with them, and a look now and then."""
        changed, everyone = False, time.monotonic() - self._followed >= DEAD_SECONDS
        if everyone:
            self._followed = time.monotonic()
        for name, live in self._live.items():
            signature, before = self._known[name]
            if before.state == "interrupted" and not everyone:
                continue
            now = live.poll(before)
            if now is not before:
                self._known[name] = signature, now
                changed = True
        return changed

    def _folder(self, identity: str) -> RunFolder:
        return RunFolder(self.workspace / "runs" / identity)


class LiveRun:
    """A run that is not known to have ended; ``poll`` gives its summary now, the very same if nothing is new."""

    def __init__(self, run: RunFolder, summary: Summary) -> None:
        self._run = run
        self._sign = 1 if summary.direction == "max" else -1
        self._key = json.dumps(summary.metric).encode()
        self._metric = summary.metric
        self._bests: list[tuple[int, int, float]] = []
        """Of the primary metric, each value better than all before it: seq of the event, step, value. A resume goes
        back among them, and nothing else of a long run is kept."""
        self._last: float | None = None
        self._record: dict[str, Any] | None = None
        self._tail = Tail(run.events, max(0, file_size(run.events) - HISTORY))
        self._measured = time.monotonic()
        self._started = summary.updated - summary.seconds

    def renewed(self) -> LiveRun:
        """run.json has changed: read it again."""
        self._record = None
        return self

    def poll(self, summary: Summary) -> Summary:
        fields: dict[str, Any] = {"state": self._state(summary)}
        fields.update(self._read(summary))
        if time.monotonic() - self._measured > SIZE_SECONDS:
            self._measured = time.monotonic()
            fields["size"] = disk_use(str(self._run.path))
        if all(getattr(summary, name) == value for name, value in fields.items()):
            return summary
        return summary._replace(**fields)

    def _state(self, summary: Summary) -> str:
        try:
            if self._record is None:
                self._record = self._run.read()
            return current_state(self._run, self._record)
        except (OSError, ValueError, AttributeError, TypeError):  # the next look at the folders says what is wrong
            return summary.state

    def _read(self, summary: Summary) -> dict[str, Any]:
        """What new lines say. Most are passed over unparsed: of metrics the newest, and those with the primary one."""
        newest, fields, primary = b"", dict[str, Any](), list[bytes]()
        for line in self._tail.lines():
            if not line.startswith(b'{"event":"metrics"'):
                self._primary(primary)
                primary = []
                fields.update(self._other(line))
                continue
            newest = line
            if self._key in line:
                primary.append(line)
        self._primary(primary)
        if newest:
            fields.update(self._progress(_parsed(newest), summary))
        if fields and self._last is not None:
            fields["last"] = self._last
        if fields and self._bests:
            fields["best"] = self._bests[-1][2]
        return fields

    def _primary(self, lines: Sequence[bytes]) -> None:
        """Lines with the primary metric, parsed together: in a tenth of the time, which the interface's own thread
        would have to wait for."""
        for record in parse(lines) if lines else ():
            with suppress(*BAD):
                seq, column = int(record.get("seq", -1)), record["values"].get(self._metric, ())
                for step, value in zip(steps_of(record), map(float, column), strict=False):  # "nan" is a number
                    self._value(seq, step, value)
        del self._bests[:-BESTS]

    def _value(self, seq: int, step: int, value: float) -> None:
        self._last = value
        best = self._bests[-1][2] if self._bests else -math.inf * self._sign
        if self._sign * value > self._sign * best:  # never so for NaN
            self._bests.append((seq, step, value))

    def _progress(self, record: dict[str, Any], summary: Summary) -> dict[str, Any]:
        try:
            step, moment = last_of(steps_of(record)), float(record.get("time", 0.0))
        except BAD:
            return {}
        seconds = max(0.0, moment - self._started) if self._started > 0 else summary.seconds
        return {"step": max(step, summary.step), "updated": moment, "seconds": seconds}

    def _other(self, line: bytes) -> dict[str, Any]:
        if line.startswith((b'{"event":"started"', b'{"event":"resumed"')):
            record = _parsed(line)
            back, seq = record.get("from_step"), record.get("from_seq", -1)
            if back is not None:
                self._bests = [best for best in self._bests if best[1] <= back and not 0 <= seq <= best[0]]
                return {"total_steps": record.get("total_steps", 0), "step": back}
            self._started = float(record.get("time", 0.0))
            return {"total_steps": record.get("total_steps", 0)}
        return {}


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
