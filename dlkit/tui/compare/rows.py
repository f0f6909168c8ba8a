"""The rows of the table of runs side by side: which they are, what they differ in, how far they came, how well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from string import ascii_lowercase, ascii_uppercase

from dlkit.monitor.comparison import Comparison, of_groups
from dlkit.monitor.means import Together
from dlkit.present.numbers import duration, number
from dlkit.runs.folder import Summary
from dlkit.runs.groups import SEED
from dlkit.tui.shared.table import Cell, Row

KEYS = ascii_uppercase + ascii_lowercase
"""One letter a run, then again from the first."""
BEST = "*"


def letter(place: int) -> str:
    """Of the run at a place, in chart and table."""
    return KEYS[place % len(KEYS)]


def about(summaries: Sequence[Summary], width: int) -> tuple[list[Row], list[Row]]:
    """Which runs they are, by so much of their ids' ends as has room, and how far they came."""
    texts = {
        "run": [s.id if len(s.id) <= width else f"…{s.id[1 - width :]}" for s in summaries],
        "task": [s.task for s in summaries],
        "state": [s.state for s in summaries],
        "steps": [f"{s.step}/{s.total_steps}" if s.total_steps > s.step else str(s.step) for s in summaries],
        "time": [duration(s.seconds) if s.seconds else "" for s in summaries],
    }
    if len(set(texts["task"])) == 1:
        del texts["task"]
    rows = [Row(f". {key}", {"key": f"  {key}", **cells_of(column)}) for key, column in texts.items()]
    return rows[:-2], rows[-2:]


def settings(found: Mapping[str, Sequence[object]], sign: str) -> list[Row]:
    """A row each, ``sign`` before its key."""
    rows = []
    for key, column in found.items():
        texts = ["-" if value is None else str(value) for value in column]
        rows.append(Row(f"{sign.strip()} {key}", {"key": sign + key, **cells_of(texts)}))
    return rows


def metrics(found: Comparison) -> list[Row]:
    """What each came to; the best of several has a star."""
    rows = []
    for name, outcome in found.metrics.items():
        cells: dict[str, Cell] = {}
        alone = sum(value is not None for value in outcome.values) < 2
        for i, value in enumerate(outcome.values):
            text = number(value) or "-"
            cells[str(i)] = (f"{BEST} {text}", "bold") if i == outcome.best and not alone else text
        rows.append(Row(f"m {name}", {"key": f"  {name}", **cells}))
    return rows


def group_rows(found: Comparison, groups: Sequence[Together], primary: str) -> list[Row]:
    """The same of groups: which runs they are, how those stand, what they came to in the mean, with the 95 % t-interval
    of it, what they differ in."""
    summaries = [[found.summaries[place] for place in group.places] for group in groups]
    spent = [sum(run.seconds for run in runs) / len(runs) for runs in summaries]
    texts = {
        "runs": [" ".join(letter(place) for place in group.places) for group in groups],
        "state": [_states(runs) for runs in summaries],
        "time": [duration(seconds) if seconds else "" for seconds in spent],
    }
    rows = [Row(f". {key}", {"key": f"  {key}", **cells_of(column)}) for key, column in texts.items()]
    differing = {
        key: [_several([column[place] for place in group.places]) for group in groups]
        for key, column in found.settings.items()
        if key not in ("task", SEED)
    }
    results = sorted(_means(found, groups), key=lambda row: row.key != f"m {primary}")
    return [*rows[:2], *results[:1], *settings(differing, "≠ "), *rows[2:], *results[1:]]


def _means(found: Comparison, groups: Sequence[Together]) -> list[Row]:
    rows = []
    for name, outcome in of_groups(found, [group.places for group in groups]).items():
        cells: dict[str, Cell] = {}
        alone = sum(one is not None for one in outcome.means) < 2
        for i, one in enumerate(outcome.means):
            text = "-" if one is None else number(one.mean) + ("" if one.half is None else f" ± {one.half:.2g}")
            starred = i == outcome.best and not alone
            cells[str(i)] = (f"{BEST} {text}", "bold") if starred else text
        rows.append(Row(f"m {name}", {"key": f"  {name}", **cells}))
    return rows


def _states(runs: Sequence[Summary]) -> str:
    """``completed`` of all of them, else how many of each."""
    states = [run.state for run in runs]
    counts = {state: states.count(state) for state in dict.fromkeys(states)}
    return states[0] if len(counts) == 1 else ", ".join(f"{count} {state}" for state, count in counts.items())


def _several(values: Sequence[object]) -> object:
    """The value that all have, else how many there are."""
    there = dict.fromkeys("-" if value is None else str(value) for value in values)
    return next(iter(there)) if len(there) == 1 else f"{len(there)} values"


def cells_of(texts: Sequence[str]) -> dict[str, Cell]:
    return {str(i): text for i, text in enumerate(texts)}
