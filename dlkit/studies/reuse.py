"""Finished runs of a workspace that a study may take for its own: those of an equal configuration, whole."""

from __future__ import annotations

from pathlib import Path

from dlkit.config import Resolved
from dlkit.json_types import Settings
from dlkit.runs.contents import flatten, stored_values
from dlkit.runs.folder import RunFolder
from dlkit.runs.index import list_runs

_AUTO = "auto"
_ELSEWHERE = ("job.", "launcher.")
"""How a run was started and looked after: no part of what it computed, but for ``job.nproc``."""


class Finished:
    """The completed runs of a task, read once."""

    def __init__(self, workspace: Path, task: str) -> None:
        runs = [RunFolder(workspace / "runs" / s.id) for s in list_runs(workspace, task) if s.state == "completed"]
        self._runs = [(run, _computed(stored_values(run))) for run in runs]

    def like(self, resolved: Resolved) -> RunFolder | None:
        """The newest whose every option is equal; what is ``auto`` here was settled there."""
        wanted = _computed(resolved.values())
        return next((run for run, stored in self._runs if _equal(wanted, stored)), None)


def _computed(values: Settings) -> dict[str, object]:
    flat = flatten(values)
    return {key: value for key, value in flat.items() if not key.startswith(_ELSEWHERE) or key == "job.nproc"}


def _equal(wanted: Settings, stored: Settings) -> bool:
    if wanted.keys() != stored.keys():
        return False
    return all(_plain(value) in (_plain(stored[key]), _AUTO) for key, value in wanted.items())


def _plain(value: object) -> object:
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value
