"""``dlkit runs``: every run of a workspace, newest first. Imports no plugin, no pydantic, no torch."""

from __future__ import annotations

from dlkit.cli.parser import Parser
from dlkit.errors import UsageError
from dlkit.present.numbers import duration, number, size, when
from dlkit.present.output import print_json, print_result, say
from dlkit.present.table import csv_table, markdown_table, table
from dlkit.runs.folder import RunFolder, Summary, told
from dlkit.runs.index import newest_runs
from dlkit.runs.workspace import locate

LIMIT = 30
_HEADERS = ("run", "state", "step", "metric", "best", "time", "size", "started", "name")

_COLUMNS = {"run": "id"} | {
    name: name
    for name in Summary._fields
    if name not in ("id", "metrics")  # which has as many as there are, another number in each run
}
"""What ``--csv`` gives: a column's header, and the field of the summary."""


def main(argv: list[str]) -> int:
    parser = Parser("runs", "List the runs of a workspace, newest first.")
    parser.add_argument("--task", metavar="T", help="only those of this task")
    parser.add_argument("--limit", type=int, metavar="N", help=f"at most N (default: {LIMIT}; with --json, --csv: all)")
    options = parser.with_workspace().with_json().with_tables().parse_args(argv)
    if options.limit is not None and options.limit < 1:
        raise UsageError(f"--limit {options.limit}: must be at least 1")
    limit = options.limit or (None if options.json or options.csv else LIMIT)
    workspace = locate(options.workspace)
    found, total = newest_runs(workspace, options.task, limit)
    if options.json:
        print_json([told(summary, RunFolder(workspace / "runs" / summary.id)) for summary in found])
    elif options.csv:
        print_result(
            csv_table(list(_COLUMNS), [[getattr(summary, name) for name in _COLUMNS.values()] for summary in found])
        )
    elif found:
        print_result((markdown_table if options.md else table)(_HEADERS, [_row(summary) for summary in found]))
        more = f"; {total - len(found)} more, --limit {total} shows them all" if total > len(found) else ""
        say(f"{size(sum(summary.size for summary in found))} on the disk{more}")
    else:
        say(f"no runs{f' of task {options.task!r}' if options.task else ''} in {workspace}")
    return 0


def _row(run: Summary) -> tuple[str, ...]:
    step = f"{run.step}/{run.total_steps}" if run.total_steps and run.step != run.total_steps else str(run.step)
    started = when(run.created, "%Y-%m-%d %H:%M") if run.created else ""
    return (
        run.id,
        run.state,
        step,
        run.metric,
        number(run.best),
        duration(run.seconds),
        size(run.size),
        started,
        run.name if run.state != "damaged" else run.reason.rpartition(f"{run.id}/")[2],
    )
