"""``dlkit compare RUN RUN …``: what differs, and how it ended."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from dlkit.cli import record
from dlkit.cli.choice import RUN_HELP
from dlkit.cli.common import Parser, number, print_json, table
from dlkit.errors import UsageError
from dlkit.runs.folder import RunFolder, Summary, summarise
from dlkit.runs.index import find_run
from dlkit.runs.workspace import locate

BEST = "*"
_MINIMISED = ("loss",)


def main(argv: list[str]) -> int:
    parser = Parser("compare", "Runs side by side: settings that differ, final metrics, the best marked with *.")
    parser.add_argument("runs", metavar="RUN", nargs="+", help=RUN_HELP)
    options = parser.with_workspace().with_json().parse_args(argv)
    workspace = locate(options.workspace)
    runs = list(dict.fromkeys(find_run(workspace, reference) for reference in options.runs))
    if len(runs) < 2:
        raise UsageError("give at least two different runs to compare")
    summaries = [summarise(run) for run in runs]
    settings = _differing([record.flatten(record.stored_values(run)) for run in runs])
    metrics = _metrics(runs, summaries)
    if options.json:
        ids = [run.id for run in runs]
        print_json(
            {"runs": ids, "summaries": [s.to_dict() for s in summaries], "settings": settings, "metrics": metrics}
        )
    else:
        print(_text(summaries, settings, metrics))
    return 0


def _differing(configurations: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
    """Key → a value a run (None: not set), for the keys on which they differ."""
    keys = dict.fromkeys(key for values in configurations for key in values)
    columns = {key: [values.get(key) for values in configurations] for key in keys}
    return {key: column for key, column in columns.items() if any(value != column[0] for value in column)}


def _metrics(runs: Sequence[RunFolder], summaries: Sequence[Summary]) -> dict[str, dict[str, Any]]:
    """Name → values a run and the index of the best, if it is known which way is better.

    Metrics are those of the best evaluation, and the last ones on record of other splits.
    """
    columns = [
        {**summary.metrics, **record.latest_evaluations(run)} for run, summary in zip(runs, summaries, strict=True)
    ]
    names = dict.fromkeys(name for column in columns for name in column if name.count("/") < 2)
    found = {}
    for name in names:
        values = [column.get(name) for column in columns]
        found[name] = {"values": values, "best": _best(values, _direction(name, summaries))}
    return found


def _direction(name: str, summaries: Sequence[Summary]) -> str:
    """``min``, ``max`` or nothing: of the primary metric (on any split) and of losses."""
    bare = name.rpartition("/")[2]
    known = {s.direction for s in summaries if s.metric.rpartition("/")[2] == bare}
    if len(known) == 1:
        return known.pop()
    return "min" if bare in _MINIMISED and not known else ""


def _best(values: Sequence[float | None], direction: str) -> int | None:
    usable = [(value, i) for i, value in enumerate(values) if value is not None and math.isfinite(value)]
    if not usable or not direction:
        return None
    return (min if direction == "min" else max)(usable, key=lambda pair: pair[0])[1]


def _text(summaries: Sequence[Summary], settings: dict[str, list[Any]], metrics: dict[str, dict[str, Any]]) -> str:
    """Runs are numbered columns: their ids are too long to stand side by side."""
    legend = [f"{i}  {s.id}  {s.state}{f'  {s.name}' if s.name else ''}" for i, s in enumerate(summaries, 1)]
    headers = ["", *(str(i) for i in range(1, len(summaries) + 1))]
    rows = [[key, *("-" if value is None else str(value) for value in column)] for key, column in settings.items()]
    rows.append(["steps", *(str(s.step) for s in summaries)])
    rows.append(["seconds", *(number(s.seconds) for s in summaries)])
    for name, entry in metrics.items():
        marked = [number(v) + (BEST if i == entry["best"] else "") or "-" for i, v in enumerate(entry["values"])]
        rows.append([name, *marked])
    return "\n".join([*legend, "", table(headers, rows)])
