"""``dlkit compare RUN RUN …``: what differs, and how it ended."""

from __future__ import annotations

from collections.abc import Sequence

from dlkit.cli.choice import RUN_HELP
from dlkit.cli.parser import Parser
from dlkit.errors import UsageError
from dlkit.monitor.comparison import Comparison, compare
from dlkit.present.numbers import number
from dlkit.present.output import print_json, print_result
from dlkit.present.table import table
from dlkit.runs.folder import RunFolder
from dlkit.runs.index import find_run
from dlkit.runs.workspace import locate
from dlkit.steering import one_line

BEST = "*"


def main(argv: list[str]) -> int:
    parser = Parser("compare", "Runs side by side: settings that differ, final metrics, the best marked with *.")
    parser.add_argument("runs", metavar="RUN", nargs="+", help=RUN_HELP)
    options = parser.with_workspace().with_json().parse_args(argv)
    workspace = locate(options.workspace)
    runs = list(dict.fromkeys(find_run(workspace, reference) for reference in options.runs))
    if len(runs) < 2:
        raise UsageError("give at least two different runs to compare")
    found = compare(runs)
    if options.json:
        print_json(_document(runs, found))
    else:
        print_result(_text(found))
    return 0


def _document(runs: Sequence[RunFolder], found: Comparison) -> dict[str, object]:
    return {
        "runs": [run.id for run in runs],
        "summaries": [summary.to_dict() for summary in found.summaries],
        "settings": found.settings,
        "metrics": {name: {"values": entry.values, "best": entry.best} for name, entry in found.metrics.items()},
    }


def _text(found: Comparison) -> str:
    """Runs are numbered columns: their ids are too long to stand side by side."""
    summaries = found.summaries
    legend = [one_line(f"{i}  {s.id}  {s.state}{f'  {s.name}' if s.name else ''}") for i, s in enumerate(summaries, 1)]
    headers = ["", *(str(i) for i in range(1, len(summaries) + 1))]
    rows = [
        [key, *("-" if value is None else str(value) for value in column)] for key, column in found.settings.items()
    ]
    rows.append(["steps", *(str(s.step) for s in summaries)])
    rows.append(["seconds", *(number(s.seconds) for s in summaries)])
    for name, entry in found.metrics.items():
        marked = [number(v) + (BEST if i == entry.best else "") or "-" for i, v in enumerate(entry.values)]
        rows.append([name, *marked])
    return "\n".join([*legend, "", table(headers, rows)])
