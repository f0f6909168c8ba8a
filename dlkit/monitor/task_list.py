"""What can be trained, as a list shows it: tasks with their data and their runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dlkit.catalog import Catalog, Plugin
from dlkit.component_choice import usual
from dlkit.components import TaskSpec
from dlkit.monitor.data_state import DataState, data_state
from dlkit.runs.folder import Summary


@dataclass(frozen=True)
class TaskEntry:
    """A task, with the components that a run of it has by default, by part; the state of its data sets (name →
    ``data_state``); its newest and best run."""

    spec: TaskSpec
    plugin: Plugin
    defaults: Mapping[str, str]
    data: Mapping[str, DataState]
    last: Summary | None = None
    best: Summary | None = None

    @property
    def default_data(self) -> DataState:
        return self.data.get(self.defaults["dataset"], {"state": "missing", "download": 0})


def list_tasks(catalog: Catalog, data: Path, runs: Sequence[Summary] = ()) -> list[TaskEntry]:
    """Every usable plugin's tasks, by name. ``runs`` are the workspace's, newest first."""
    found = []
    for spec in catalog.specs("task"):
        states = {d.name: data_state(catalog, d, data) for d in catalog.specs("dataset", spec.name)}
        found.append(TaskEntry(spec, catalog.owner(spec), usual(catalog, spec), states))
    return with_runs(found, runs)


def with_runs(entries: Iterable[TaskEntry], runs: Iterable[Summary]) -> list[TaskEntry]:
    """The same tasks, with these runs of theirs, newest first: what may change twice a second."""
    of_task: dict[str, list[Summary]] = {}
    for run in runs:
        of_task.setdefault(run.task, []).append(run)
    return [_with_runs(entry, of_task.get(entry.spec.name, [])) for entry in entries]


def _with_runs(entry: TaskEntry, mine: Sequence[Summary]) -> TaskEntry:
    return replace(entry, last=mine[0] if mine else None, best=best_of(mine, entry.spec))


def best_of(runs: Iterable[Summary], spec: TaskSpec) -> Summary | None:
    """The run with the best primary metric; of runs on several data sets, among those on the newest run's."""
    measured = [run for run in runs if run.best is not None and run.best == run.best and run.metric == spec.metric]
    alike = [run for run in measured if run.dataset == measured[0].dataset]
    better = max if spec.direction == "max" else min
    return better(alike, key=lambda run: run.best or 0.0, default=None)
