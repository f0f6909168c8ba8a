"""``dlkit compare RUN RUN …``: what differs, and how it ended; ``--group``: means over seeds."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence

from dlkit.cli.choice import RUN_HELP
from dlkit.cli.compare_groups import show_groups
from dlkit.cli.parser import Parser
from dlkit.errors import RunError, UsageError
from dlkit.monitor.comparison import Comparison, compare
from dlkit.present.numbers import number
from dlkit.present.output import print_json, print_result, say
from dlkit.present.table import csv_table, markdown_table, table
from dlkit.present.text import from_here
from dlkit.runs.finding import find_run
from dlkit.runs.folder import RunFolder, told
from dlkit.runs.index import list_runs
from dlkit.runs.workspace import locate
from dlkit.steering import one_line

BEST = "*"


def main(argv: list[str]) -> int:
    options = _parser().parse_args(argv)
    runs = _chosen(options)
    if options.output is not None:
        from dlkit.cli.compare_files import write_comparison

        return write_comparison(runs, options)
    if options.group is not None:
        return show_groups(runs, options)
    if len(runs) < 2:
        raise UsageError("give at least two different runs to compare")
    found = compare(runs)
    for remark in found.remarks:
        say(f"note: {remark}")
    if options.best:
        print_result(_best(found))
    elif options.json:
        print_json(_document(runs, found))
    elif options.csv or options.md:
        print_result((csv_table if options.csv else markdown_table)(*_by_run(found)))
    else:
        print_result(_text(found))
    return 0


def _parser() -> Parser:
    parser = Parser(
        "compare",
        "Runs side by side: settings that differ, final metrics, the best marked with *. With --group, runs of equal "
        "settings are taken together: mean ± 95 % t-interval over their seeds.",
    )
    parser.add_argument("runs", metavar="RUN", nargs="*", help=f"{RUN_HELP}; or give --task")
    parser.add_argument("--task", metavar="T", help="all runs of this task")
    parser.add_argument("--group", metavar="KEYS", help="settings that make a group: model.name,trainer.lr")
    parser.add_argument(
        "--metric",
        metavar="NAME",
        action="append",
        help="with --group, or -o: this metric (may be repeated; default: the primary one of each split)",
    )
    parser.add_argument("--best", action="store_true", help="print the best run's id alone; of the best group's runs")
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="curves over one another, with --group their means: a .png, .svg or .pdf (dlkit[plots]); .html: a report",
    )
    parser.add_argument("--force", action="store_true", help="with -o FILE.html: write over a file that is no report")
    return parser.with_workspace().with_json().with_tables()


def _chosen(options: Namespace) -> list[RunFolder]:
    """The runs that are named, and those of ``--task``, oldest first."""
    workspace = locate(options.workspace)
    if not options.runs and not options.task:
        raise UsageError("which runs? Give RUN …, or --task T for all of that task")
    if options.metric and options.group is None and options.output is None:
        raise UsageError("--metric goes with --group, and with -o")
    if options.output is not None and (options.best or options.json or options.csv or options.md):
        raise UsageError("-o writes curves into FILE: not with --best, --json, --csv or --md")
    named = [find_run(workspace, reference) for reference in options.runs]
    found = reversed(list_runs(workspace, options.task)) if options.task else ()
    return list(dict.fromkeys([*named, *(RunFolder(workspace / "runs" / summary.id) for summary in found)]))


def _best(found: Comparison) -> str:
    """The run with the best primary metric; RunError where there is no telling."""
    metrics = {summary.metric for summary in found.summaries if summary.metric}
    entry = found.metrics.get(metrics.pop()) if len(metrics) == 1 else None
    if entry is None or entry.best is None:
        raise RunError("there is no best run: they have no primary metric in common, or no value of it")
    return found.summaries[entry.best].id


def _document(runs: Sequence[RunFolder], found: Comparison) -> dict[str, object]:
    return {
        "runs": [run.id for run in runs],
        "summaries": [told(summary, run) for summary, run in zip(found.summaries, runs, strict=True)],
        "settings": found.settings,
        "metrics": {name: {"values": entry.values, "best": entry.best} for name, entry in found.metrics.items()},
        "remarks": found.remarks,
    }


def _by_run(found: Comparison) -> tuple[list[str], list[list[object]]]:
    """A row a run: for programs that read tables."""
    headers = ["run", "name", "state", *found.settings, "steps", "seconds", *found.metrics]
    rows = [
        [
            *(s.id, s.name, s.state),
            *(column[i] for column in found.settings.values()),
            *(s.step, s.seconds),
            *(entry.values[i] for entry in found.metrics.values()),
        ]
        for i, s in enumerate(found.summaries)
    ]
    return headers, rows


def _text(found: Comparison) -> str:
    """Runs are numbered columns: their ids are too long to stand side by side."""
    summaries = found.summaries
    legend = [one_line(f"{i}  {s.id}  {s.state}{f'  {s.name}' if s.name else ''}") for i, s in enumerate(summaries, 1)]
    headers = ["", *(str(i) for i in range(1, len(summaries) + 1))]
    rows = [
        [key, *("-" if value is None else str(from_here(value)) for value in column)]
        for key, column in found.settings.items()
    ]
    rows.append(["steps", *(str(s.step) for s in summaries)])
    rows.append(["seconds", *(number(s.seconds) for s in summaries)])
    for name, entry in found.metrics.items():
        marked = [number(v) + (BEST if i == entry.best else "") or "-" for i, v in enumerate(entry.values)]
        rows.append([name, *marked])
    return "\n".join([*legend, "", table(headers, rows)])
