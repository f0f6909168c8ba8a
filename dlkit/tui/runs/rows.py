"""The columns and rows of the list of runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from rich.text import Text

from dlkit.monitor.pulse import Pulse, share
from dlkit.monitor.run_columns import STATES
from dlkit.monitor.run_groups import RunGroup
from dlkit.present.numbers import number, size
from dlkit.present.runs import BRANCH, bar, called, spent, steps, titled
from dlkit.present.sparkline import sparkline
from dlkit.runs.folder import Summary
from dlkit.steering import one_line
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
DEFAULT = tuple(column.key for column in COLUMNS)
OTHERS = (
    Column("id", "id", 30, most=44),
    Column("study", "study", 12, most=34, optional=True),
    Column("parent", "fork of", 16, most=50, optional=True),
    Column("tags", "tags", 12, most=30, optional=True),
    Column("note", "note", 20, most=60, optional=True),
    Column("seed", "seed", 6, right=True),
    Column("host", "host", 10, most=20),
    Column("remote", "remote", 8, most=31, optional=True),
    Column("metric", "metric", 14, most=20),
    Column("updated", "ended", 16, right=True),
    Column("reason", "reason", 20, most=60, optional=True),
)
"""That are shown on demand; so are metrics and options."""
UNSORTED = ("trend",)
"""Columns by which nothing is sorted."""
ABOUT = {
    "state": "running, completed, failed …", "name": "what somebody has called it", "task": "", "model": "",
    "dataset": "the data set", "step": "how far it is", "last": "the primary metric now", "best": "its best value",
    "trend": "the course of the primary metric", "seconds": "how long it has run", "created": "when it began",
    "device": "where it computes", "size": "what its folder takes on the disk", "id": "the name of its folder",
    "study": "whose trial it is",
    "parent": "of a fork: the checkpoint it began with",
    "seed": "", "tags": "by which it is found again", "note": "the last one",
    "host": "the machine", "remote": "of another machine: what you call it", "metric": "the primary one",
    "updated": "its last event", "reason": "why it ended",
}  # fmt: skip
_KNOWN = {column.key: column for column in (*COLUMNS, *OTHERS)}


def title_of(key: str) -> str:
    """Of a column, over it and in windows."""
    return _KNOWN[key].title if key in _KNOWN else key


def columns_of(keys: Sequence[str]) -> tuple[Column, ...]:
    """In a narrow window the last ones leave first, where somebody has chosen them; else those that matter least."""
    if tuple(keys) == DEFAULT:
        return COLUMNS
    return tuple(replace(_KNOWN.get(key) or _measured(key), rank=place) for place, key in enumerate(keys))


def _measured(key: str) -> Column:
    """A metric or an option: of another task's runs there is none."""
    title = key.removeprefix("val/") if key.startswith("val/") else key.rpartition(".")[2]
    return Column(key, title, max(8, min(14, len(title) + 1)), right=True, most=16, optional=True)


def row(run: Summary, age: str, pulse: Pulse, more: Mapping[str, str]) -> Row:
    """``more``: what stands in columns that are no field of the list, by their keys."""
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
        "name": f"{run.remote}: {called(run)}".strip() if run.remote else called(run),
        **more,
    }
    return Row(run.id, cells)


def about(run: Summary) -> Text:
    """What the columns leave out."""
    text = Text().append(one_line(f"{run.id}  {run.name}").rstrip(), "bold")
    text.append("\n" + one_line(", ".join(filter(None, (run.dataset, run.device, size(run.size))))))
    if run.parent:
        text.append(f"   {BRANCH} {one_line(run.parent)}")
    if run.metric:
        text.append(f"   {run.metric} {_values(run)}")
    if run.tags or run.note:
        text.append(f"   {one_line(' '.join(f'#{tag}' for tag in run.tags.split()))}  {one_line(run.note)}".rstrip())
    if run.reason:
        text.append(f"\n{run.reason.partition(chr(10))[0]}", "italic")
    elif run.state not in STATES:
        text.append(f"\n{run.state}", "italic")
    elif run.state == "interrupted":
        text.append("\nits worker died; r goes on from the last checkpoint", "italic")
    return text


def _values(run: Summary) -> str:
    there = (("last", run.last), ("best", run.best))
    return ", ".join(f"{what} {number(value)}" for what, value in there if value is not None) or "not measured yet"


def about_group(group: RunGroup) -> Text:
    """What its heading may have no room for."""
    text = Text.assemble((one_line(group.title), "bold"), f"   {group.about}")
    if group.best is not None:
        text.append(f"\nthe best is {one_line(titled(group.best))}")
    return text.append("\nspace marks all of them, c compares those that are marked", "italic")
