"""``dlkit tasks``: what can be trained, with which data."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict

from dlkit.catalog import Catalog
from dlkit.cli.parser import Parser
from dlkit.cli.plugins import problem_lines
from dlkit.component_choice import usual
from dlkit.components import TaskSpec
from dlkit.monitor.data_state import DataState, data_state
from dlkit.present.numbers import size
from dlkit.present.output import print_json, print_result, say
from dlkit.present.table import table
from dlkit.runs.workspace import locate

_HEADERS = ("task", "title", "data set", "data", "model", "metric")


class DatasetDescription(DataState):
    name: str
    summary: str


class TaskDescription(TypedDict):
    """A task as ``--json`` gives it; ``defaults`` names the component of each kind that a run has if no other is asked
    for."""

    name: str
    title: str
    summary: str
    plugin: str
    metric: str
    direction: str
    defaults: dict[str, str]
    datasets: list[DatasetDescription]
    models: list[str]


def main(argv: list[str]) -> int:
    parser = Parser("tasks", "List the tasks that the installed plugins bring, with their defaults.")
    options = parser.with_workspace().with_json().parse_args(argv)
    catalog = Catalog.load_everything()
    data = locate(options.workspace) / "data"
    records = [_record(catalog, spec, data) for spec in catalog.specs("task")]
    if options.json:
        print_json(records)
        return 0
    if records:
        print_result(table(_HEADERS, [_row(record) for record in records]))
    else:
        say("no plugin offers a task")
    for line in problem_lines(catalog):
        print_result(line)
    return 0


def _record(catalog: Catalog, spec: TaskSpec, data: Path) -> TaskDescription:
    datasets = catalog.specs("dataset", spec.name)
    return {
        "name": spec.name,
        "title": spec.title,
        "summary": spec.summary,
        "plugin": catalog.owner(spec).name,
        "metric": spec.metric,
        "direction": spec.direction,
        "defaults": usual(catalog, spec),
        "datasets": [{"name": d.name, "summary": d.summary, **data_state(catalog, d, data)} for d in datasets],
        "models": [model.name for model in catalog.specs("model", spec.name)],
    }


def _row(record: TaskDescription) -> tuple[str, str, str, str, str, str]:
    default = record["defaults"]["dataset"]
    missing: DataState = {"state": "missing", "download": 0}
    state = next((d for d in record["datasets"] if d["name"] == default), missing)
    words = f"to be downloaded ({size(state['download'])})" if state["state"] == "download" else state["state"]
    return record["name"], record["title"], default, words, record["defaults"]["model"], record["metric"]
