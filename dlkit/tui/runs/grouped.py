"""The list of runs in groups: a heading for each, which folds; what runs may be grouped by."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from dlkit.monitor.run_columns import NONE, option_keys, words_of
from dlkit.monitor.run_groups import RunGroup
from dlkit.monitor.run_query import Options
from dlkit.runs.folder import Summary
from dlkit.tui.runs.rows import title_of
from dlkit.tui.shared.table import Row

_HEAD = "#"
FIELDS = {
    "task": "",
    "model": "",
    "study": "trials of one study",
    "dataset": "",
    "state": "",
    "device": "",
    "host": "",
    "seed": "",
}
MOST_VALUES = 30
"""Of an option, for runs to be grouped by it: a path is another in each."""


def heading(group: RunGroup, *, folded: bool) -> Row:
    sign = "▸" if folded else "▾"
    return Row(head_of(group), {}, line=f"{sign} {group.title}   {group.about}")


def head_of(group: RunGroup) -> str:
    """The key of a group's heading."""
    return _HEAD + group.id


def group_of(key: str) -> str:
    """The id of the group whose heading has this key; empty: it is a run's."""
    return key.removeprefix(_HEAD) if key.startswith(_HEAD) else ""


def rows_of(
    groups: Sequence[RunGroup], folded: Collection[str], rows: Mapping[str, Row], before: Mapping[str, Row]
) -> list[Row]:
    """``rows`` by run's id; a heading that says the same as ``before`` (by key) is the same object."""
    made: list[Row] = []
    for group in groups:
        head = heading(group, folded=group.id in folded)
        made.append(before[head.key] if before.get(head.key) == head else head)
        made += [] if group.id in folded else [rows[run.id] for run in group.runs]
    return made


def choices(runs: Sequence[Summary], options: Mapping[str, Options]) -> tuple[tuple[str, str], ...]:
    """What may be grouped by, each with what it is: fields, then options that take a few values."""
    found = [
        ("", "no groups  each run by itself"),
        *((key, f"{title_of(key)}  {what}") for key, what in FIELDS.items()),
    ]
    for key in option_keys(runs, options):
        values = dict.fromkeys(words_of(run, key, options.get(run.id, NONE)) for run in runs)
        if 1 < len(values) <= MOST_VALUES:
            found.append((key, f"{key}  {', '.join(value or '-' for value in list(values)[:8])}"))
    return tuple(found)
