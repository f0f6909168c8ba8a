"""All runs of a workspace as summaries, kept up to date at little cost: what has ended is read once, what lives is
followed by byte offset."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from dlkit.errors import DAMAGE, in_words
from dlkit.monitor.live_run import LiveRun
from dlkit.monitor.pulse import Pulse
from dlkit.runs.folder import ENDED, RunFolder, Summary, summarise
from dlkit.runs.index import newest_runs, signatures

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
        self.pulses: Mapping[str, Pulse] = {}
        """Of the runs that live, as of the last poll: replaced, never changed in place."""

    def poll(self) -> Sequence[Summary] | None:
        changed = self._told is None
        if time.monotonic() - self._looked >= SHARE * self._took:
            first, began = self._told is None, time.monotonic()
            changed |= self._look()
            # The first look reads the runs, the others their signatures: what it took says nothing of them.
            self._looked, self._took = time.monotonic(), 0.0 if first else time.monotonic() - began
        changed |= self._follow()
        if not changed:
            return None
        found = sorted((s for _, s in self._known.values()), key=lambda s: (s.created, s.id), reverse=True)
        self._told = found
        self.pulses = {name: live.pulse for name, live in self._live.items()}
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
        if summary.state in (*ENDED, "damaged", "queued", "foreign") or summary.state.endswith("(newer format)"):
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
            now = _polled(live, before)
            if now is not before:
                self._known[name] = signature, now
                changed = True
        return changed

    def _folder(self, identity: str) -> RunFolder:
        return RunFolder(self.workspace / "runs" / identity)


def _polled(live: LiveRun, before: Summary) -> Summary:
    """What a run says now. One that makes no sense says that, and the others go on."""
    try:
        return live.poll(before)
    except DAMAGE as error:
        reason = in_words(error)
        told = (before.state, before.reason) == ("damaged", reason)
        return before if told else before._replace(state="damaged", reason=reason)
