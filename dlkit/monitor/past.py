"""What a fork's parent had measured before the branch, joined to what the fork has measured since."""

from __future__ import annotations

import os
from contextlib import suppress

import numpy as np

from dlkit.bounded import lines
from dlkit.monitor.history import History, Series
from dlkit.monitor.json_lines import parse_metrics
from dlkit.runs.folder import RunFolder
from dlkit.runs.opening import open_file


class Past:
    """Of a run that is no fork there is none; ``step`` is where a fork began."""

    def __init__(self, run: RunFolder | None = None, step: int | None = None) -> None:
        self.step = step
        self._history = _read(run) if run is not None else History()
        self._joined: dict[str, tuple[Series, Series]] = {}

    def joined(self, name: str, own: Series) -> Series:
        """Both, the same arrays as long as ``own`` are: a chart knows by the arrays that nothing is new."""
        if name not in self._history.names:
            return own
        known = self._joined.get(name)
        if known is None or known[0] is not own:
            before = self._history.series(name)
            known = self._joined[name] = own, _one(before, own)
        return known[1]


def _one(before: Series, own: Series) -> Series:
    """An evaluation that the fork made again at its first step counts once."""
    first = own.steps[0] if len(own.steps) else None
    kept = len(before.steps) if first is None else int(np.searchsorted(before.steps, first, "left"))
    return Series(np.concatenate((before.steps[:kept], own.steps)), np.concatenate((before.values[:kept], own.values)))


def _read(run: RunFolder) -> History:
    """What can be read of it; a damaged file has less, or nothing."""
    found = History()
    with suppress(OSError), os.fdopen(open_file(run.path, run.past.name), "rb") as file:
        found.append(parse_metrics(list(lines(file))))
    return found
