"""Why a job's processes ended without ending the run: from what they left behind, and how they died."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypedDict

from dlkit.json_types import Json
from dlkit.runs import opening

_FAULTS = (signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGABRT)
_KNOWN = ("steps", "seconds", "train_seconds", "metrics")
"""What a report may have beside the reason."""


@dataclass(frozen=True)
class Death:
    """How the processes of an attempt ended without ending the run.

    ``kind`` is ``memory``, ``final`` (trying again cannot help), ``error`` or ``killed``; ``silent``: nobody said why.
    ``known`` is what is left of the figures that a run ends with, ``cause`` as in ``Finished``.
    """

    kind: str
    reason: str
    traceback: str = ""
    exit_code: int = 1
    silent: bool = False
    known: Mapping[str, Json] = field(default_factory=dict)
    cause: Mapping[str, Json] = field(default_factory=dict)


class Report(TypedDict):
    """What a rank that fails leaves behind; ``kind`` ``peer``: it only lost the others."""

    kind: str
    reason: str
    traceback: str
    exit_code: int
    rank: int
    time: float
    known: dict[str, Json]
    cause: dict[str, Json]


def post_mortem(run: Path, code: int, nproc: int, *, for_memory: bool) -> Death:
    """``code`` is the exit code of the processes or of their launcher, ``for_memory``: the system killed for memory."""
    reports = sorted(_read(run), key=lambda report: report["time"])
    # The first to fail has the reason; the others tell of a broken connection, seconds later.
    telling = next((report for report in reports if report["kind"] != "peer"), None)
    if telling is not None:
        rank = f"rank {telling['rank']}: " if nproc > 1 else ""
        reason, traceback = rank + telling["reason"], telling["traceback"]
        found = telling["known"], telling["cause"]
        return Death(telling["kind"], reason, traceback, telling["exit_code"], False, *found)
    if for_memory:
        advice = "try a smaller --batch-size, --accumulate, or --on-oom halve"
        said = f"killed by the system for want of memory: {advice}"
        return Death("memory", said, cause={"kind": "memory", "signal": "SIGKILL"})
    if code < 0 and -code in _FAULTS:
        name = signal.Signals(-code).name
        said = f"its process crashed ({name}): output.log has the details"
        return Death("error", said, cause={"kind": "crash", "signal": name})
    if nproc > 1:
        lost = sorted(set(range(nproc)) - {report["rank"] for report in reports})
        dead = f"rank {lost[0]} " if reports and lost else "a process "
        return Death("killed", f"{dead}died without a word", silent=True)
    if code < 0:
        return Death("killed", f"its process was ended by {signal.Signals(-code).name}", silent=True)
    said = f"its process ended with code {code}: output.log has the details"
    return Death("error", said, cause={"kind": "exit", "code": code})


def reports_of(run: Path) -> list[str]:
    """The files that ranks have left in a run's folder."""
    return [name for name in opening.names(run, ".") if re.fullmatch(r"\.report-\d+\.json", name)]


def _read(run: Path) -> Iterator[Report]:
    for name in reports_of(run):
        try:
            found: dict[str, Any] = opening.read_json(run, name)
            written = opening.status(run, name)
        except (OSError, ValueError):  # it was killed while it wrote: as if it had said nothing
            continue
        yield Report(
            kind=found["kind"],
            reason=found["reason"],
            traceback=found["traceback"],
            exit_code=int(found["exit_code"]),
            rank=int(name.removesuffix(".json").rpartition("-")[2]),
            time=written.st_mtime if written else 0.0,  # all of a job's ranks are on this machine
            known={key: found[key] for key in _KNOWN if key in found},
            cause=found.get("cause", {}),
        )
