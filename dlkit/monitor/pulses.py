"""How runs that have ended went, for lists: read once from the end of each one's log."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from pathlib import Path

from dlkit.errors import DAMAGE
from dlkit.monitor.live_run import LiveRun
from dlkit.monitor.pulse import Pulse
from dlkit.runs.folder import Summary, folder_of

KNOWN = 2000
"""Runs whose course is remembered."""


class Pulses:
    """``look``, by one thread: the pulses of runs that nobody follows."""

    def __init__(self, workspace: Path) -> None:
        self._workspace = workspace
        self._known: OrderedDict[str, tuple[tuple[object, ...], Pulse]] = OrderedDict()

    def look(self, runs: Iterable[Summary]) -> Mapping[str, Pulse]:
        found = {}
        for run in runs:
            written = run.state, run.step, run.updated
            known = self._known.get(run.id)
            if known is None or known[0] != written:
                known = written, self._read(run)
            self._known[run.id] = known
            self._known.move_to_end(run.id)
            found[run.id] = known[1]
        while len(self._known) > KNOWN:
            self._known.popitem(last=False)
        return found

    def _read(self, run: Summary) -> Pulse:
        try:
            live = LiveRun(folder_of(self._workspace, run.id), run)
            live.poll(run)
            return live.pulse
        except DAMAGE:
            return Pulse()
