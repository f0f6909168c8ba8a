"""The rows of the list of runs, and their order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.text import Text

from dlkit.monitor.pulse import Pulse, share
from dlkit.present.numbers import number, size
from dlkit.present.runs import bar, spent, steps
from dlkit.present.sparkline import sparkline
from dlkit.runs.folder import Summary
from dlkit.steering import one_line
from dlkit.tui.shared import settings
from dlkit.tui.shared.table import Cell, Column, Row
from dlkit.tui.shared.words import state_cell

COLUMNS = (
    Column("state", "state", 11),
    Column("name", "name", 11, most=30, optional=True),
    Column("task", "task", 12, most=14),
    Column("model", "model", 8, rank=1, most=14),
    Column("dataset", "data", 12, rank=6, most=18),
    Column("step", "step", 9, right=True, most=15),
    Column("last", "last", 8, right=True, rank=5),
    Column("best", "best", 8, right=True),
    Column("trend", "course", 10, rank=3, most=20, optional=True),
    Column("seconds", "time", 8, right=True, rank=4),
    Column("created", "started", 10, right=True, rank=2),
    Column("device", "device", 8, rank=7),
    Column("size", "size", 9, right=True, rank=8),
)
STATES = ("running", "paused", "queued", "foreign", "interrupted", "failed", "stopped", "completed")
UNSORTED = ("trend",)
"""Columns by which nothing is sorted."""


def arranged(runs: Sequence[Summary], key: str, descending: bool) -> list[Summary]:
    """Sorted by a column; what has no value there comes last either way."""
    if key == "created":
        return list(runs) if descending else list(runs)[::-1]

    def value(run: Summary) -> Any:
        found = getattr(run, key)
        return STATES.index(found) if key == "state" and found in STATES else found

    there = [run for run in runs if _has(value(run))]
    words = any(isinstance(value(run), str) for run in there)
    ordered = sorted(there, key=lambda r: str(value(r)) if words else value(r), reverse=descending)
    return ordered + [run for run in runs if not _has(value(run))]


def _has(value: object) -> bool:
    return value is not None and value != "" and value == value


def kept_order() -> tuple[str, bool]:
    """By what they were sorted last, and whether descending."""
    kept: list[object] = settings.kept("runs-sort", ["created", True])
    known = {column.key for column in COLUMNS if column.key not in UNSORTED}
    match kept:
        case [str(key), bool(descending)] if key in known:
            return key, descending
    return "created", True


def row(run: Summary, age: str, pulse: Pulse) -> Row:
    done = share(run, pulse) if run.state == "running" else None
    cells: dict[str, Cell] = {
        "state": state_cell(run.state),
        "task": run.task or run.id,
        "model": run.model,
        "dataset": run.dataset,
        "step": steps(run) if done is None else (bar(done, 9), "green"),
        "trend": (sparkline(pulse.trend, 10), "cyan") if len(pulse.trend) > 1 else "",
        "last": number(run.last),
        "best": number(run.best),
        "seconds": spent(run),
        "created": age,
        "device": run.device,
        "size": size(run.size),
        "name": run.name,
    }
    return Row(run.id, cells)


def about(run: Summary) -> Text:
    """What the columns leave out."""
    text = Text().append(one_line(f"{run.id}  {run.name}").rstrip(), "bold")
    text.append("\n" + one_line(", ".join(filter(None, (run.dataset, run.device, size(run.size))))))
    if run.metric:
        text.append(f"   {run.metric} last {number(run.last) or '-'}, best {number(run.best) or '-'}")
    if run.reason:
        text.append(f"\n{run.reason.partition(chr(10))[0]}", "italic")
    elif run.state not in STATES:
        text.append(f"\n{run.state}", "italic")
    elif run.state == "interrupted":
        text.append("\nits worker died; r goes on from the last checkpoint", "italic")
    return text
