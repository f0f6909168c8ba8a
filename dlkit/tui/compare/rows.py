"""The rows of the table of runs side by side: which they are, what they differ in, how far they came, how well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from string import ascii_lowercase, ascii_uppercase

from dlkit.monitor.comparison import Comparison
from dlkit.present.numbers import duration, number
from dlkit.runs.folder import Summary
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


def cells_of(texts: Sequence[str]) -> dict[str, Cell]:
    return {str(i): text for i, text in enumerate(texts)}
