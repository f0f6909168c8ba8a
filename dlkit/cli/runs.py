"""``dlkit runs``: every run of a workspace, newest first. Imports no plugin, no pydantic, no torch."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path

from dlkit.cli.parser import Parser
from dlkit.errors import UsageError
from dlkit.folders import has_file, settings
from dlkit.present.numbers import counted, duration, number, size, when
from dlkit.present.output import print_json, print_result, say
from dlkit.present.runs import called
from dlkit.present.table import csv_table, markdown_table, table
from dlkit.runs.folder import Summary, folder_of, told
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
    options = _parser().parse_args(argv)
    if options.limit is not None and options.limit < 1:
        raise UsageError(f"--limit {options.limit}: must be at least 1")
    workspace = locate(options.workspace)
    found, total, settings = _found(options, workspace)
    if options.group is not None:
        from dlkit.cli.runs_groups import show_groups  # whoever lists runs need not wait for it

        return show_groups(found, options, workspace)
    if options.json:
        print_json([told(summary, folder_of(workspace, summary.id)) for summary in found])
    elif not found and not options.csv:
        say(_nothing(options, workspace))
    elif options.columns is not None:
        _print_columns(found, options, settings)
    elif options.csv:
        rows = [[getattr(summary, name) for name in _COLUMNS.values()] for summary in found]
        print_result(csv_table(list(_COLUMNS), rows))
    else:
        print_result((markdown_table if options.md else table)(_HEADERS, [_row(summary) for summary in found]))
    if found and not options.json and not options.csv:
        more = f"; {total - len(found)} more, --limit {total} shows them all" if total > len(found) else ""
        say(f"{size(sum(summary.size for summary in found))} on the disk{more}")
    return 0


def _parser() -> Parser:
    parser = Parser(
        "runs",
        "List the runs of a workspace, newest first. FILTER as in the interface, all of it must hold: words (regular "
        "expressions), task:… state:… model:… data:… name:… study:… parent:… tag:… note:…, "
        "'val/accuracy>0.9', 'lr<0.01', since:2d, before:2026-11-30, '!state:failed' for not.",
    )
    parser.add_argument("filter", metavar="FILTER", nargs="*", help="which runs; in quotes where < or > is in it")
    parser.add_argument("--task", metavar="T", help="only those of this task")
    parser.add_argument("--limit", type=int, metavar="N", help=f"at most N (default: {LIMIT}; with --json, --csv: all)")
    parser.add_argument(
        "--sort",
        metavar="KEY",
        help="by a column, a metric or an option (best, time, val/loss, lr): the best, latest or largest first, words "
        "by the alphabet, options from the smallest on",
    )
    parser.add_argument("--reverse", action="store_true", help="the other way round")
    parser.add_argument(
        "--columns", metavar="KEYS", help="show these: run,state,lr,val/accuracy; metrics and options too"
    )
    parser.add_argument(
        "--group",
        metavar="KEYS",
        help="a line a group instead: task, model, study, tag, an option; several with commas",
    )
    parser.add_argument(
        "--refresh", action="store_true", help="wait for every remote, however long it takes; else 3 s in all"
    )
    parser.add_argument("--local", action="store_true", help="of this machine alone")
    return parser.with_workspace().with_json().with_tables()


def _others(options: Namespace) -> list[Summary]:
    """The runs of other machines, if there are such: who has none does not wait for anything."""
    if options.local or not has_file(settings(), "remotes.toml"):
        return []
    from dlkit.remote.refreshing import LIMIT, refreshed

    found, wrong = refreshed(None if options.refresh else LIMIT)
    for line in wrong:
        say(f"note: {line}")
    return [run for run in found if options.task in (None, run.task)]


def _with_others(options: Namespace, workspace: Path, limit: int | None) -> tuple[list[Summary], int]:
    """The newest runs of all machines, and how many there are."""
    others = _others(options)
    found, total = newest_runs(workspace, options.task, limit)
    if not others:
        return found, total
    every = sorted([*found, *others], key=lambda run: (run.created, run.id), reverse=True)
    return every[:limit], total + len(others)


def _found(options: Namespace, workspace: Path) -> tuple[list[Summary], int, Mapping[str, Mapping[str, object]]]:
    """The runs that are to be shown, of how many, and their options as far as they are asked for."""
    plain = not options.filter and options.sort is None and options.columns is None and not options.reverse
    limit = options.limit or (None if options.json or options.csv else LIMIT)
    if plain and options.group is None:
        found, total = _with_others(options, workspace, limit)
        return found, total, {}
    from dlkit.cli.runs_chosen import chosen  # a list of all runs does without

    found, settings = chosen(_with_others(options, workspace, None)[0], options, workspace)
    return found if options.group is not None else found[:limit], len(found), settings


def _nothing(options: Namespace, workspace: Path) -> str:
    filtered = f" that matches {' '.join(options.filter)!r}" if options.filter else ""
    if not filtered:
        return f"no runs{f' of task {options.task!r}' if options.task else ''} in {workspace}"
    there = newest_runs(workspace, options.task, 1)[1]
    return f"no run{filtered}, of {counted(there, 'run')} in {workspace}"


def _print_columns(found: Sequence[Summary], options: Namespace, settings: Mapping[str, Mapping[str, object]]) -> None:
    from dlkit.cli.runs_chosen import keys_of
    from dlkit.monitor.run_columns import NONE, value_of, words_of

    keys = keys_of(options.columns, "--columns")
    if options.csv:
        print_result(
            csv_table(keys, [[value_of(run, key, settings.get(run.id, NONE)) for key in keys] for run in found])
        )
        return
    rows = [[words_of(run, key, settings.get(run.id, NONE)) for key in keys] for run in found]
    print_result((markdown_table if options.md else table)(keys, rows))


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
        called(run) if run.state != "damaged" else run.reason.rpartition(f"{run.id}/")[2],
    )
