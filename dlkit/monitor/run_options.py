"""The options of runs, read when somebody asks for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from dlkit.runs.contents import flatten, stored_values
from dlkit.runs.folder import Summary, folder_of


class RunOptions:
    """``read``, by one thread; ``known`` may be looked at by another: it is replaced, never changed in place. A run is
    read again once it has got another number of steps to do: that is what a resume may be given."""

    def __init__(self, workspace: Path) -> None:
        self._workspace = workspace
        self.known: Mapping[str, Mapping[str, object]] = {}
        self._of: Mapping[str, int] = {}

    def missing(self, runs: Iterable[Summary]) -> list[Summary]:
        """Those that are still to be read."""
        return [run for run in runs if self._of.get(run.id) != run.total_steps]

    def read(self, runs: Iterable[Summary]) -> None:
        there = self.missing(runs)
        new = {run.id: flatten(stored_values(folder_of(self._workspace, run.id))) for run in there}
        self.known = {**self.known, **new}
        self._of = {**self._of, **{run.id: run.total_steps for run in there}}
