"""The curves of a run: which charts there are, which can be seen, how they are looked at, and how they grow."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.pilot import Pilot
from textual.widgets import Input

from distributions import sampled
from dlkit.events import Checkpointed, Commanded, Event, MetricsLogged, Resumed, Started
from dlkit.runs.folder import RunFolder
from dlkit.tui.app import DlkitApp
from dlkit.tui.chart.grid import TALL, shape
from dlkit.tui.chart.grid import WIDE as WIDE_ENOUGH
from dlkit.tui.chart.groups import Group, grouped, matches, settled
from dlkit.tui.chart.line import Mark
from dlkit.tui.chart.look import Look
from dlkit.tui.run.curves import CurvesPane
from dlkit.tui.run.screen import RunScreen
from dlkit.tui.shared.filter_line import FilterLine
from recorded import record_run, write_events
from screens import notices, opened, shown, typed, until

WIDE = (160, 50)


def curve(name: str, count: int = 5, every: int = 20, *, first: int = 0, scale: float = 1.0) -> MetricsLogged:
    """A falling metric, every so many steps."""
    steps = range(first or every, (first or every) + count * every, every)
    values = [scale * math.exp(-step / 50) for step in steps]
    return MetricsLogged(first=steps[0], count=count, every=every, values={name: values}, epoch=1, rate=10.0)


def rich_run(workspace: Path, *more: Event) -> RunFolder:
    """Beside train/loss and val/mse: a loss of two splits, classes of one, what has no split. Nobody runs it now."""
    run = record_run(workspace, 1, state="interrupted")
    extra = [curve("val/loss"), curve("lr", 100, 1), curve("val/mse/north"), curve("val/mse/south"), *more]
    write_events(run, extra, 3)
    return run


@asynccontextmanager
async def curves(
    run: RunFolder, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[DlkitApp, Pilot[None], CurvesPane]]:
    """The pane, with what is on record."""
    async with opened(run.path.parent.parent, size) as (app, pilot):
        app.open_run(run)
        await until(pilot, lambda: isinstance(app.screen, RunScreen) and app.screen.view.version)
        pane = app.screen.query_one(CurvesPane)
        await until(pilot, lambda: pane.view is not None and pane.has_focus)
        yield app, pilot, pane


def tell(app: DlkitApp, run: RunFolder, seq: int, *events: Event) -> None:
    """Append to the log, and have it read at once."""
    write_events(run, events, seq)
    app.poller.nudge()


def titles(pane: CurvesPane) -> list[str]:
    """Of the charts that can be seen."""
    return [chart.title for chart in pane.charts]


# Which charts there are


@pytest.mark.parametrize(
    ("names", "primary", "expected"),
    [
        (["lr", "val/acc", "train/loss", "val/loss", "train/acc"], "val/acc", ["acc", "loss", "lr"]),
        (["train/loss", "val/f1", "lr", "val/mse"], "val/mse", ["val/mse", "train/loss", "val/f1", "lr"]),
        (["val/acc/cat", "val/acc"], "", ["val/acc"]),
        (["", "odd/name", "a/b/c"], "x", ["odd/name", ""]),
        ([], "val/mse", []),
    ],
)
def test_groups(names: Sequence[str], primary: str, expected: Sequence[str]) -> None:
    assert [group.title for group in grouped(names, primary)] == expected


def test_a_group_holds_every_split_in_order() -> None:
    assert grouped(["test/loss", "val/loss", "train/loss"]) == [
        Group("loss", ("train/loss", "val/loss", "test/loss")),
    ]
    names = ["val/acc/cat", "val/acc", "train/acc/cat"]
    assert [group.names for group in grouped(names, details=True)] == [
        ("val/acc",),
        ("train/acc/cat", "val/acc/cat"),
    ]
    assert [group.title for group in grouped(names, pattern="val/acc/*")] == ["val/acc/cat"]


def test_charts_that_are_there_keep_their_places() -> None:
    first = grouped(["train/loss", "lr"], "val/acc")
    later = settled(first, grouped(["train/loss", "lr", "val/loss", "val/acc"], "val/acc"))
    assert [group.title for group in later] == ["loss", "lr", "val/acc"], "of two splits now, and not moved"
    assert [group.title for group in settled([], later)] == ["loss", "lr", "val/acc"]


@pytest.mark.parametrize(
    ("count", "size", "found"),
    [(9, (120, 28), (2, 2)), (9, (80, 18), (1, 1)), (9, (160, 43), (3, 3)), (3, (160, 43), (2, 2)),
     (1, (160, 43), (1, 1)), (2, (160, 43), (2, 1)), (2, (80, 40), (1, 2)), (4, (160, 43), (2, 2)), (0, (0, 0), (1, 1)),
     (99, (300, 90), (4, 3))],
)  # fmt: skip
def test_the_shape_of_a_grid(count: int, size: tuple[int, int], found: tuple[int, int]) -> None:
    assert shape(count, *size) == found


@given(st.integers(0, 40), st.integers(0, 400), st.integers(0, 120))
def test_a_grid_has_no_row_or_column_in_vain(count: int, width: int, height: int) -> None:
    columns, rows = shape(count, width, height)
    assert columns == 1 or columns * WIDE_ENOUGH <= width
    assert rows == 1 or rows * TALL <= height
    assert (columns * rows - columns < max(1, count)) and (columns * rows - rows < max(1, count) or rows == 1)


@pytest.mark.parametrize(
    ("pattern", "found"),
    [("", True), ("val", True), ("VAL/M", True), ("val/*", True), ("*mse", True), ("val/?se", True), ("train", False),
     ("val/m", True), ("mse*", False), ("[", False)],
)  # fmt: skip
def test_filter_patterns(pattern: str, found: bool) -> None:
    assert matches("val/mse", pattern) is found


# What can be seen


async def test_as_many_charts_as_fit_the_primary_one_first(tmp_path: Path) -> None:
    async with curves(rich_run(tmp_path), (120, 35)) as (app, pilot, pane):
        assert titles(pane) == ["val/mse", "loss", "lr"] and pane.shape == (2, 2)
        assert pane.chart is not None and pane.chart.title == "val/mse"
        assert [(line.name, line.key) for line in pane.charts[1].lines] == [("train", "t"), ("val", "v")]
        assert "t train 0.5067   v val 0.1353" in shown(app)
        assert "> val/mse" in shown(app) and "d: 2 metrics of single classes" in shown(app)
        await typed(pilot, "d")
        assert titles(pane) == ["val/mse", "loss", "val/mse/north", "val/mse/south"]
        assert "up, down: charts 1-4 of 5" in shown(app)
        await typed(pilot, "pagedown")
        assert titles(pane) == ["lr"]
        await typed(pilot, "d", "home", "enter")
        assert titles(pane) == ["val/mse"] and pane.large
        await typed(pilot, "down")
        assert titles(pane) == ["loss"] and "chart 2 of 3" in shown(app)
        await typed(pilot, "escape")
        assert titles(pane) == ["val/mse", "loss", "lr"] and pane.place == 1
        assert isinstance(app.screen, RunScreen)
        await typed(pilot, "escape")
        assert not isinstance(app.screen, RunScreen)


async def test_one_chart_at_a_time_in_a_small_terminal(tmp_path: Path) -> None:
    async with curves(rich_run(tmp_path)) as (app, pilot, pane):
        assert titles(pane) == ["val/mse"] and "up, down: chart 1 of 3" in shown(app)
        await typed(pilot, "enter")
        assert not pane.large, "it has all the room already"
        await typed(pilot, "j", "j", "j")
        assert titles(pane) == ["lr"] and "chart 3 of 3" in shown(app)
        await typed(pilot, "g", "pagedown")
        assert titles(pane) == ["loss"]
        assert all(len(line) <= 80 for line in shown(app).splitlines())
        await pilot.resize_terminal(*WIDE)
        await until(pilot, lambda: titles(pane) == ["val/mse", "loss", "lr"])
        assert pane.place == 1
        await pilot.resize_terminal(40, 9)
        await until(pilot, lambda: titles(pane) == ["loss"])


async def test_filter(tmp_path: Path) -> None:
    async with curves(rich_run(tmp_path)) as (app, pilot, pane):
        await typed(pilot, "slash", *"val/*")
        assert [group.title for group in pane.groups] == ["val/mse", "val/loss"]
        await typed(pilot, "enter", "down")
        assert pane.has_focus and titles(pane) == ["val/loss"] and pane.query_one(Input).value == "val/*"
        await typed(pilot, "slash", *"x*z")
        assert "No metric matches 'x*z'. escape: show all" in shown(app) and not pane.charts
        assert shown(app).splitlines()[-2].startswith(" / x*z"), "where one types stays at the bottom"
        await typed(pilot, "enter", "y", "left", "enter")
        assert not pane.charts
        await typed(pilot, "escape")
        assert [group.title for group in pane.groups] == ["val/mse", "loss", "lr"]
        assert isinstance(app.screen, RunScreen) and pane.has_focus
        await typed(pilot, "slash", "enter")
        assert not pane.query_one(FilterLine).display, "a filter for nothing goes"


# How they are looked at


async def test_all_are_looked_at_alike_and_log_is_each_ones_own(tmp_path: Path) -> None:
    async with curves(rich_run(tmp_path), WIDE) as (app, pilot, pane):
        await typed(pilot, "y", "left", "left", "z", "plus")
        assert [chart.log_y for chart in pane.charts] == [True, False, False]
        assert len({(chart.look.cursor, chart.look.window, chart.look.level) for chart in pane.charts}) == 1
        assert pane.look.cursor == 80 and shown(app).count("step 80 ") == 3
        await typed(pilot, "down", "y", "up", "y", "0", "Z")
        assert [chart.log_y for chart in pane.charts] == [False, True, False]
        assert pane.look == Look()
        assert len({chart.extent for chart in pane.charts}) == 1, "steps lie above each other"


async def test_the_mouse_chooses_points_and_enlarges(tmp_path: Path) -> None:
    async with curves(rich_run(tmp_path), WIDE) as (app, pilot, pane):
        second = pane.charts[1]
        await pilot.click(second, offset=(40, 8))
        await pilot.pause()
        assert pane.chart is second and pane.look.cursor is not None
        assert shown(app).count(f"step {pane.look.cursor:.0f} ") == 3
        await pilot.click(pane.charts[2], offset=(1, 0))
        await pilot.pause()
        assert pane.large and titles(pane) == ["lr"]
        await pilot.double_click(pane.charts[0], offset=(40, 20))
        await pilot.pause()
        assert not pane.large and pane.place == 2


async def test_epochs_where_it_is_known_how_long_they_are(tmp_path: Path) -> None:
    run = rich_run(tmp_path)
    async with curves(run, WIDE) as (app, pilot, pane):
        assert pane.view is not None and pane.view.epoch_steps == 20
        await typed(pilot, "t", "left")
        assert "epoch 5 " in shown(app) and pane.charts[1].lines[0].x[-1] == 5
        await typed(pilot, "z", "y")
        tell(app, run, 20, curve("train/loss", 20, 1, first=101))
        await until(pilot, lambda: pane.charts[1].lines[0].x[-1] == 6)
    run = record_run(tmp_path / "other", state="interrupted")
    run.events.write_text("")
    write_events(run, [Started(total_steps=10, epoch_steps=0, summary={}), curve("val/mse")])
    async with curves(run) as (app, pilot, pane):
        assert pane.unit == "epoch" and pane.look.level == 1 and pane.logarithmic == {"mse"}, "as last chosen"
        assert pane.axis == "step" and pane.charts[0].log_y, "where epochs cannot be counted"
        await typed(pilot, "t")
        assert "how many steps an epoch has is not on record" in notices(app) and pane.unit == "time"


# While it goes on


async def test_curves_grow_and_are_cut_by_a_resume(tmp_path: Path) -> None:
    run = rich_run(tmp_path)
    async with curves(run, WIDE) as (app, pilot, pane):
        await typed(pilot, "plus", "L", "L", "L", "L")
        assert pane.look.follows
        drawn = [chart.drawings for chart in pane.charts]
        tell(app, run, 20, Checkpointed(step=100, folder="checkpoints/step-00000100", best=False, seconds=0.1))
        assert pane.view is not None
        await until(pilot, lambda: pane.view is not None and pane.view.checkpoints)
        assert [chart.drawings for chart in pane.charts] == drawn, "nothing new for a chart"
        for seq, first in enumerate((101, 151, 201), 21):
            tell(app, run, seq, curve("train/loss", 50, 1, first=first, scale=2))
            await until(pilot, lambda first=first: pane.charts[1].extent.last == first + 49)  # type: ignore[misc]
        assert pane.look.span(pane.charts[1].extent)[1] == 250
        tell(app, run, 30, curve("val/new", 2, 100))
        await until(pilot, lambda: "val/new" in titles(pane))
        assert titles(pane) == ["val/mse", "loss", "lr", "val/new"], "those that were there stay in their places"
        tell(app, run, 32, Commanded(step=240, action="set", key="trainer.lr", value=0.01))
        await until(pilot, lambda: "◆ set" in shown(app))
        await typed(pilot, *["left"] * 3)
        assert pane.look.cursor is not None and pane.charts[0].happened == [Mark(240.0, "set", "lr 0.01")]
        tell(app, run, 31, Resumed(from_step=60, total_steps=300, epoch_steps=20, exact=True))
        await until(pilot, lambda: "val/new" not in titles(pane) and pane.charts[0].extent.last == 60)
        await typed(pilot, "0")
        assert pane.lines(Group("gone", ("val/new",))) == []
        assert not [text for text in notices(app) if "Error" in text]


async def test_runs_without_metrics(tmp_path: Path) -> None:
    ended, begun = record_run(tmp_path, 1), record_run(tmp_path, 2, state="queued")
    for run in (ended, begun):
        run.events.write_text("")
    async with curves(ended) as (app, pilot, _):
        await until(pilot, lambda: "No curves: the run recorded no metrics." in shown(app))
        app.open_run(begun)
        await until(pilot, lambda: "No curves yet: they begin with the first steps." in shown(app))
        pane = app.screen.query_one(CurvesPane)
        await typed(pilot, *"jGyzdtL", "left", "plus", "pagedown", "enter", "0")
        assert pane.groups == [] and "No curves yet" in shown(app)
        tell(app, begun, 0, curve("val/mse"))
        await until(pilot, lambda: titles(pane) == ["val/mse"])


async def test_distributions_are_heat_maps_over_time(tmp_path: Path) -> None:
    run = rich_run(tmp_path)
    write_events(run, [sampled(run, step) for step in (20, 60)], 20)
    async with curves(run, WIDE) as (app, pilot, pane):
        assert "d: 2 metrics of single classes and distributions" in shown(app)
        await typed(pilot, "slash", *"layers", "enter")
        await until(pilot, lambda: titles(pane) == ["layers/activations/fc Linear", "layers/gradients/fc Linear"])
        await until(pilot, lambda: "▀" in shown(app))
        assert [chart.log_y for chart in pane.charts] == [False, True] and "median" in shown(app)
        tell(app, run, 40, sampled(run, 100))
        await until(pilot, lambda: pane.charts[0].lines[0].x[-1] == 100)
        await typed(pilot, "left", "y", "escape", "d")
        await until(pilot, lambda: len(pane.groups) == 7)
