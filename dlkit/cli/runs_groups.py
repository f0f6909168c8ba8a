"""``dlkit runs --group``: a line a group of runs: how many, how they stand, the best of them."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from dlkit.cli.runs_chosen import keys_of
from dlkit.monitor.run_columns import is_option
from dlkit.monitor.run_groups import RunGroup, in_groups
from dlkit.monitor.run_options import RunOptions
from dlkit.present.numbers import counted, duration, number, size, when
from dlkit.present.output import print_json, print_result, say
from dlkit.present.table import csv_table, markdown_table, table
from dlkit.runs.folder import Summary


def show_groups(runs: Sequence[Summary], options: Namespace, workspace: Path) -> int:
    """In the form asked for; ``runs`` in the order in which groups are to come."""
    keys = keys_of(options.group, "--group")
    reader = RunOptions(workspace)
    if any(map(is_option, keys)):
        reader.read(runs)
    found = in_groups(runs, keys, reader.known)
    shown = found[: options.limit]
    if options.json:
        print_json({"group": keys, "groups": list(map(document, shown))})
        return 0
    if options.csv:
        print_result(csv_table([*keys, "n", *_NUMBERS], [_columns(group) for group in shown]))
        return 0
    if not found:
        say(f"no runs in {workspace}" if not options.filter else f"no run that matches {' '.join(options.filter)!r}")
        return 0
    print_result((markdown_table if options.md else table)([*keys, "n", *_HEADERS], [_row(group) for group in shown]))
    more = f"; {len(found) - len(shown)} more, --limit {len(found)} shows them all" if len(found) > len(shown) else ""
    say(f"{counted(len(runs), 'run')} in {counted(len(found), 'group')}{more}")
    return 0


_HEADERS = ("states", "metric", "best", "best run", "time", "size", "newest")
_NUMBERS = ("states", "metric", "best", "best run", "seconds", "size", "newest")


def _row(group: RunGroup) -> list[object]:
    top = group.best
    best = (top.metric, number(top.best), top.id) if top is not None else ("", "", "")
    newest = when(_newest(group), "%Y-%m-%d %H:%M")
    figures = (duration(_seconds(group)), size(_size(group)), newest)
    return [*(value or "-" for value in group.values.values()), len(group.runs), group.states, *best, *figures]


def _columns(group: RunGroup) -> list[object]:
    top = group.best
    best = (top.metric, top.best, top.id) if top is not None else ("", None, "")
    return [
        *group.values.values(), len(group.runs), group.states, *best, _seconds(group), _size(group), _newest(group),
    ]  # fmt: skip


def document(group: RunGroup) -> dict[str, object]:
    """What ``--json`` gives of a group."""
    top = group.best
    states = [run.state for run in group.runs]
    return {
        "values": group.values,
        "n": len(group.runs),
        "states": {state: states.count(state) for state in dict.fromkeys(states)},
        "metric": top.metric if top is not None else "",
        "best": top.best if top is not None else None,
        "best_run": top.id if top is not None else None,
        "seconds": _seconds(group),
        "size": _size(group),
        "newest": _newest(group),
        "runs": [run.id for run in group.runs],
    }


def _seconds(group: RunGroup) -> float:
    return sum(run.seconds for run in group.runs)


def _size(group: RunGroup) -> int:
    return sum(run.size for run in group.runs)


def _newest(group: RunGroup) -> float:
    return max(run.created for run in group.runs)
