"""``dlkit compare --group``: a row a group of runs, mean ± interval over their seeds."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence

from dlkit.errors import RunError, UsageError, listed, nearest
from dlkit.present.numbers import counted, number
from dlkit.present.output import print_json, print_result, say
from dlkit.present.table import csv_table, markdown_table, table
from dlkit.present.text import from_here
from dlkit.runs.folder import RunFolder
from dlkit.runs.groups import INTERVAL, Group, Groups, Mean, grouped


def show_groups(runs: Sequence[RunFolder], options: Namespace) -> int:
    """The groups in the form asked for; RunError if no run is completed."""
    keys = list(dict.fromkeys(key.strip().replace("-", "_") for key in options.group.split(",") if key.strip()))
    if not keys:
        raise UsageError("--group needs settings, for example: model.name,trainer.lr")
    found = grouped(runs, keys)
    _say_remarks(found)
    if not found.groups:
        raise RunError("none of the runs is completed: there is nothing to take means of")
    names = _shown(found, options.metric)
    if options.best:
        print_result(_best(found))
    elif options.json:
        print_json(document(found))
    elif options.csv:
        print_result(csv_table(*_columns(found)))
    else:
        print_result((markdown_table if options.md else table)(*_for_people(found, names)))
        say(f"mean ± {INTERVAL} over n runs, the best {found.metric} first{_others(found, names)}")
    return 0


def _say_remarks(found: Groups) -> None:
    if found.left_out:
        head = f"note: {counted(len(found.left_out), 'run')} left out, as not completed"
        say(listed(head, [f"  {run} ({state})" for run, state in found.left_out.items()]))
    for remark in found.remarks:
        say(f"note: {remark}")
    alone = sum(len(group.runs) == 1 for group in found.groups)
    if alone:
        say(f"note: {counted(alone, 'group')} of one run: n = 1 has no interval")


def _best(found: Groups) -> str:
    if found.best is None:
        raise RunError(f"there is no best run: none has a finite {found.metric}")
    return found.best


def _shown(found: Groups, asked: Sequence[str] | None) -> list[str]:
    """The metrics that people see: those they ask for, else the primary one, on each split that was measured."""
    known = dict.fromkeys(name for group in found.groups for name in group.metrics)
    for name in asked or ():
        if name not in known:
            raise UsageError(f"--metric {name}: {nearest(name, known)}")
    bare = found.metric.rpartition("/")[2]
    return list(asked or [name for name in known if name.rpartition("/")[2] == bare])


def _others(found: Groups, shown: Sequence[str]) -> str:
    rest = dict.fromkeys(name for group in found.groups for name in group.metrics if name not in shown)
    return f"; --metric shows others: {', '.join(rest)}" if rest else ""


def _for_people(found: Groups, names: Sequence[str]) -> tuple[list[str], list[list[object]]]:
    def cell(mean: Mean | None, runs: int) -> str:
        if mean is None:
            return "-"
        shown = number(mean.mean) if mean.half is None else f"{number(mean.mean)} ± {mean.half:.2g}"
        return shown if mean.n == runs else f"{shown} (n = {mean.n})"  # not all were measured on that split, say

    rows: list[list[object]] = [
        [
            *map(_plain, group.settings.values()),
            len(group.runs),
            *(cell(group.metrics.get(name), len(group.runs)) for name in names),
        ]
        for group in found.groups
    ]
    return [*found.keys, "n", *names, "best run"], [
        [*row, group.best or "-"] for row, group in zip(rows, found.groups, strict=True)
    ]


def _columns(found: Groups) -> tuple[list[str], list[list[object]]]:
    """Every metric in three columns: mean, half the interval, over how many."""
    names = dict.fromkeys(name for group in found.groups for name in group.metrics)
    parts = [f"{name}{part}" for name in names for part in (" mean", " ± 95 %", " n")]

    def cells(group: Group) -> list[object]:
        means = [group.metrics.get(name) for name in names]
        values = [(m.mean, m.half, m.n) if m is not None else (None, None, 0) for m in means]
        return [*map(_plain, group.settings.values()), len(group.runs), *(cell for three in values for cell in three)]

    rows = [[*cells(group), group.best, " ".join(group.runs)] for group in found.groups]
    return [*found.keys, "n", *parts, "best run", "runs"], rows


def _plain(value: object) -> object:
    return str(value) if isinstance(value, (list, dict)) else from_here(value)


def document(found: Groups) -> dict[str, object]:
    """What ``--json`` gives."""
    groups = [
        {
            "settings": group.settings,
            "n": len(group.runs),
            "runs": group.runs,
            "seeds": group.seeds,
            "best": group.best,
            "metrics": {
                name: {"mean": m.mean, "half": m.half, "std": m.std, "n": m.n} for name, m in group.metrics.items()
            },
        }
        for group in found.groups
    ]
    return {
        "group": found.keys,
        "metric": found.metric,
        "interval": INTERVAL,
        "groups": groups,
        "best": found.best,
        "left_out": [{"run": run, "state": state} for run, state in found.left_out.items()],
        "remarks": found.remarks,
    }
