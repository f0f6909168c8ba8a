"""A chart: what is drawn of known lines, and what the mouse and its owner can do with it."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
from rich.style import Style
from textual.app import App, ComposeResult
from textual.events import MouseScrollDown, MouseScrollUp
from textual.pilot import Pilot

from dlkit.tui.chart.chart import Chart
from dlkit.tui.chart.draw import draw
from dlkit.tui.chart.frame import Theme
from dlkit.tui.chart.keys import CHART_KEYS, ChartKeys
from dlkit.tui.chart.line import Line, extent_of
from dlkit.tui.chart.look import Extent, Look
from dlkit.tui.chart.thin import Numbers
from screens import shown, typed


class Host(ChartKeys, App[None]):
    """One chart that has the whole terminal, and does what its keys and mouse say."""

    BINDINGS = [*CHART_KEYS]

    def __init__(self) -> None:
        super().__init__()
        self.given: Sequence[Line] = ()
        self.opened = 0

    def compose(self) -> ComposeResult:
        yield Chart()

    @property
    def chart(self) -> Chart:
        return self.query_one(Chart)

    def looked(self) -> None:
        self.chart.show("loss", self.given, self.look, log_y="loss" in self.logarithmic, unit=self.unit)

    def on_chart_looked(self, message: Chart.Looked) -> None:
        self.look = message.look
        self.looked()

    def on_chart_opened(self, _: Chart.Opened) -> None:
        self.opened += 1


@asynccontextmanager
async def charted(*lines: Line, size: tuple[int, int] = (50, 14)) -> AsyncIterator[tuple[Host, Pilot[None]]]:
    """A chart of these lines."""
    app = Host()
    async with app.run_test(size=size) as pilot:
        app.given = lines
        app.looked()
        await pilot.pause()
        yield app, pilot


def line(y: Sequence[float], x: Numbers | None = None, name: str = "", key: str = "", colour: int = 0) -> Line:
    """Values at steps 1, 2, 3 …, if nothing else is said."""
    steps = np.arange(1, len(y) + 1) if x is None else x
    return Line(name, steps, np.array(y, np.float64), key, colour)


RAMP = line(list(range(1, 101)))
"""At step n the value n, up to 100."""


def rows(app: Host) -> list[str]:
    return shown(app).splitlines()


def marks(app: Host, sign: str) -> list[tuple[int, int]]:
    """Where a character is: column and row."""
    return [(column, row) for row, text in enumerate(rows(app)) for column, found in enumerate(text) if found == sign]


# What is drawn


async def test_a_rising_line_between_its_axes() -> None:
    async with charted(RAMP) as (app, _):
        found = rows(app)
        assert found[0] == "loss" and found[1] == "last 100"
        assert [text.split("┤")[0].strip() for text in found if "┤" in text] == ["100", "50"]
        assert found[-1].split() == ["20", "40", "60", "80", "step"]
        assert found[-2].count("┬") == 4
        curve = [(column, row) for row in range(2, 12) for column, sign in enumerate(found[row]) if sign >= "⠁"]
        assert min(curve)[1] == 11 and max(curve)[1] == 2, "from the lower left to the upper right"
        assert {column for column, _ in curve} == set(range(4, 50))
        heights = [min(row for column, row in curve if column == wanted) for wanted in range(4, 50)]
        assert heights == sorted(heights, reverse=True)
        fifty = next(row for row, text in enumerate(found) if "50┤" in text)
        assert (4 + 23, fifty) in curve, "half the value at half the way"


async def test_points_that_lie_apart_are_marked_and_keys_stand_above_them() -> None:
    """A key was once hidden under another line's points."""
    sparse, other = line([1, 2, 3, 2], name="train", key="t"), line([1, 2, 3, 2], name="val", key="v", colour=2)
    async with charted(sparse, other) as (app, _):
        found = shown(app)
        assert "t train 2   v val 2" in found
        assert len(marks(app, "•")) >= 2
        plot = "\n".join(rows(app)[2:])
        assert plot.count("t") == 1 + 1 and plot.count("v") == 1, "once on a short curve; and the t of step"
        app.given = [sparse]
        app.looked()
        assert len(marks(app, "•")) == 3, "the last one is under the key"


async def test_lines_over_each_other_are_told_apart_without_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    many = [line([i + math.sin(n / 9) for n in range(90)], name=f"run {i}", key="ABCDEFGH"[i]) for i in range(8)]
    async with charted(*many, size=(80, 24)) as (app, _):
        text = "\n".join(rows(app)[3:])
        assert all(text.count(key) == 2 for key in "ABCDEFGH")
        assert all(f"{key} run {i}" in shown(app) for i, key in enumerate("ABCDEFGH"))


ODD: dict[str, tuple[list[float], list[str]]] = {
    "empty": ([], ["no values yet"]),
    "one": ([5.0], ["5.0┤", "•"]),
    "constant": ([0.25] * 50, ["0.25", "last 0.25"]),
    "zeros": ([0.0, 0.0, 0.0], ["0┤", "last 0"]),
    "huge": ([1e300, -1e300, 1e305], ["last 1e+305", "1.0e305┤"]),
    "tiny": ([1e-300, 2e-300, 3e-300], ["last 3e-300", "0┤"]),
    "offset": ([1e9, 1e9 + 1, 1e9 + 2], ["1.000000002e9┤"]),
    "no numbers": ([math.nan, math.inf, -math.inf], ["nothing finite to draw", "×", "last -inf"]),
    "hole": ([1.0, math.nan, 3.0], ["×", "last 3"]),
}


async def test_odd_values_at_odd_sizes() -> None:
    async with charted() as (app, pilot):
        for what, (values, said) in ODD.items():
            app.given = [line(values)]
            app.looked()
            await pilot.pause()
            for text in said:
                assert text in shown(app), what
        for size in ((1, 1), (8, 3), (3, 9), (200, 4), (13, 40)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            for what, (values, _) in ODD.items():
                app.given, app.look, app.logarithmic = [line(values)], Look(), frozenset()
                app.looked()
                for act in (
                    partial(app.action_chart_cursor, -1),
                    app.action_chart_log,
                    partial(app.action_chart_zoom, 0.5),
                    partial(app.action_chart_smooth, 3),
                    app.action_chart_log_steps,
                ):
                    act()
                    widths = [app.chart.render_line(y).cell_length for y in range(size[1])]
                    assert widths == [size[0]] * size[1], (what, act)


async def test_no_braille_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "linux")
    async with charted(RAMP, line([50, math.nan, 20], x=np.array([1, 50, 100]), key="v")) as (app, pilot):
        await typed(pilot, "left", "left", "left")
        text = shown(app)
        assert text.isascii()
        assert all(sign in text for sign in (".", ":", "o", "x", "|", "+", "-", "v"))


async def test_titles_and_names_that_are_too_long_or_odd() -> None:
    given = line([1, 2], name="名前\x1b[31m", key="A")
    async with charted(given, size=(30, 12)) as (app, pilot):
        app.chart.show("メトリクス/" * 4, [given], Look(level=1), log_y=True)
        await pilot.pause()
        found = rows(app)
        assert found[0].startswith("メトリクス/") and "smooth" not in found[0]
        assert found[1].startswith("A 名前�[31m 2")
        assert "\x1b" not in shown(app)
        app.chart.show("loss", [given], Look(level=1), log_y=True, current=True)
        await pilot.pause()
        assert rows(app)[0] == "> loss        log · smooth 0.6"


async def test_a_legend_without_room_is_shorter_and_then_says_so() -> None:
    given = [line([i, i + 1], name=f"a long name {i}", key=chr(65 + i)) for i in range(10)]
    async with charted(*given, size=(40, 13)) as (app, pilot):
        assert rows(app)[1].startswith("A 1   B 2") and rows(app)[2].endswith("J 10"), "values rather than names"
        await pilot.resize_terminal(20, 13)
        await pilot.pause()
        assert rows(app)[1].startswith("A 1   B 2") and rows(app)[2].endswith("… 5 more")
        assert "F" not in rows(app)[2]


# How it is looked at


async def test_zoom_and_pan() -> None:
    async with charted(RAMP) as (app, pilot):
        await typed(pilot, "plus")
        assert app.look.window == (25.75, 75.25) and not app.look.follows
        assert rows(app)[-1].split() == ["30", "40", "50", "60", "step"]
        assert "part" in rows(app)[0]
        assert "last 100" in rows(app)[1]
        assert [text.split("┤")[0].strip() for text in rows(app) if "┤" in text] == ["60", "40"], "values of the part"
        await typed(pilot, "shift+left")
        assert app.look.window == pytest.approx((13.375, 62.875))
        await typed(pilot, "L", "L", "L", "L")
        assert app.look.window == pytest.approx((50.5, 100)) and app.look.follows
        await typed(pilot, "minus")
        assert app.look.window is None
        await typed(pilot, "left", "left", "left", "left", "plus", "plus", "0")
        assert app.look == Look()
        for _ in range(20):
            app.action_chart_zoom(0.5)
        a, b = app.look.span(app.chart.extent)
        assert b - a == pytest.approx(99 / 25), "never narrower than a few points"


async def test_a_window_at_the_end_goes_along_with_a_growing_curve() -> None:
    async with charted(RAMP) as (app, pilot):
        await typed(pilot, "plus", *["L"] * 4)
        app.given = [line(list(range(1, 201)))]
        app.looked()
        assert app.look.span(app.chart.extent) == pytest.approx((150.5, 200))
        await pilot.pause()
        assert "last 200" in shown(app) and "180" in rows(app)[-1]


async def test_the_cursor_tells_values() -> None:
    sparse = line([0.5, 0.25], x=np.array([20, 90]), name="val", key="v", colour=1)
    async with charted(replace(RAMP, name="train", key="t"), sparse, size=(60, 14)) as (app, pilot):
        await typed(pilot, "left")
        assert rows(app)[1] == "step 100   t train 100   v val 0.25 @90"
        await typed(pilot, *["left"] * 3)
        assert app.look.cursor is not None and 90 <= app.look.cursor < 97
        await typed(pilot, "ctrl+left", "ctrl+left", "ctrl+left", "ctrl+left", "ctrl+left")
        step = int(app.look.cursor)
        assert step < 20 and f"step {step}   t train {step}   v val -" in shown(app)
        assert {column for column, _ in marks(app, "┊")} == {4 + int((step - 1) / 99 * 56)}
        assert app.chart.values_at(20) == [(app.given[0], 19), (app.given[1], 0)]
        await typed(pilot, "plus", "plus", *["ctrl+right"] * 8)
        a, b = app.look.span(app.chart.extent)
        assert step < a < app.look.cursor <= b, "the window comes along"
        await typed(pilot, "right")
        assert app.look.cursor == round(app.look.cursor), "from point to point"


async def test_no_line_is_hidden_by_what_the_cursor_tells() -> None:
    train, val = replace(RAMP, name="train", key="t"), line([0.5, 0.25], np.array([20, 90]), "val", "v", 1)
    async with charted(train, val, size=(44, 17)) as (app, pilot):
        await typed(pilot, "left", "z")
        assert "more" not in shown(app)
        assert rows(app)[1].startswith("step 100   t train 100 ~") and rows(app)[2] == "v val 0.25 ~0.3438 @90"
        await pilot.resize_terminal(40, 9)
        await pilot.pause()
        assert rows(app)[1] == "step 100   t train 100   v val 0.25", "one row: what must be said"


async def test_log_scales() -> None:
    y = [10.0**-n for n in range(6)] + [0.0, -1.0]
    async with charted(line(y)) as (app, pilot):
        await typed(pilot, "y")
        assert "2 not above 0 left out · log" in rows(app)[0]
        assert [text.split("┤")[0].strip() for text in rows(app) if "┤" in text] == ["1", "0.01", "0.0001"]
        curve = marks(app, "•")
        assert len(curve) == 6 and len({b[1] - a[1] for a, b in pairwise(curve)}) <= 2, "straight"
        await typed(pilot, "y", "Y")
        assert "log steps" in rows(app)[0] and "log ·" not in rows(app)[0]
        assert rows(app)[-1].split() == ["2", "4", "6", "step"]
        await typed(pilot, "plus", "left", "left", "shift+right", "Y", "0")
        assert app.look == Look()


async def test_smoothing() -> None:
    noise = np.random.default_rng(0).normal(0, 0.3, 400)
    async with charted(line(list(1 + noise))) as (app, pilot):
        plain = shown(app)
        await typed(pilot, "z", "z", "z")
        assert "smooth 0.99" in rows(app)[0]
        assert f"~{np.average(1 + noise, weights=0.99 ** np.arange(400)[::-1]):.4g}" in rows(app)[1]
        strips = [app.chart.render_line(y) for y in range(3, 10)]
        styles = {(s.style.bold, s.style.dim) for strip in strips for s in strip if s.style and "⣿" in s.text}
        assert (None, True) in styles or (False, True) in styles, "the values themselves stay, faint"
        await typed(pilot, "z")
        assert shown(app) == plain
        await typed(pilot, "Z")
        assert app.look.weight == 0.99


async def test_epochs() -> None:
    async with charted(line([3, 2, 1], x=np.array([0.5, 1.0, 1.5]))) as (app, pilot):
        await typed(pilot, "t", "left")
        assert rows(app)[1] == "epoch 1.50   1"
        assert rows(app)[-1].split()[-1] == "epoch"
        await typed(pilot, "t", "left")
        assert rows(app)[1] == "time 1.5 s   1" and rows(app)[-1].split()[-1] == "time"
        await typed(pilot, "t")
        assert rows(app)[-1].split()[-1] == "step" and app.look.cursor is None


# The mouse


async def test_dragging_selects_a_part() -> None:
    async with charted(RAMP) as (app, pilot):
        before = [app.chart.render_line(y) for y in range(14)]
        await pilot.mouse_down(Chart, offset=(15, 5))
        await pilot.hover(Chart, offset=(35, 8))
        await pilot.pause()
        strip = app.chart.render_line(6)
        assert sum(len(s.text) for s in strip if s.style and s.style.reverse) == 21
        await pilot.mouse_up(Chart, offset=(35, 8))
        await pilot.pause()
        assert app.look.window == pytest.approx((1 + 99 * 11 / 45, 1 + 99 * 31 / 45))
        assert not any(s.style and s.style.reverse for s in app.chart.render_line(6))
        await typed(pilot, "0")
        assert [app.chart.render_line(y) for y in range(14)] == before


async def wheel(pilot: Pilot[None], x: int, *, up: bool, shift: bool = False) -> None:
    """Turn it by one notch over a column."""
    kind = MouseScrollUp if up else MouseScrollDown
    await pilot._post_mouse_events([kind], Chart, (x, 6), shift=shift)
    await pilot.pause()


async def test_the_wheel_zooms_where_the_mouse_is() -> None:
    async with charted(RAMP) as (app, pilot):
        await wheel(pilot, 4, up=True)
        assert app.look.window == pytest.approx((1, 80.2))
        await wheel(pilot, 4, up=False)
        await wheel(pilot, 4, up=False)
        assert app.look.window is None
        await wheel(pilot, 49, up=True)
        assert app.look.follows
        await wheel(pilot, 49, up=True, shift=True)
        assert app.look.window == pytest.approx((12.88, 92.08))


async def test_a_click_points_and_two_open() -> None:
    async with charted(RAMP) as (app, pilot):
        await pilot.click(Chart, offset=(4 + 23, 6))
        assert app.look.cursor == 52 and rows(app)[1] == "step 52   52" and app.opened == 0
        await pilot.double_click(Chart, offset=(20, 6))
        assert app.opened == 1
        cursor = app.look.cursor
        await pilot.click(Chart, offset=(2, 0))
        assert app.opened == 2 and app.look.cursor == cursor, "a title's click moves no cursor"


# How often it is drawn


async def test_nothing_is_drawn_again_that_has_not_changed() -> None:
    async with charted(RAMP) as (app, pilot):
        chart, first = app.chart, app.chart.drawings
        app.looked()
        await pilot.pause()
        strips = chart._strips
        app.given = [replace(RAMP)]
        app.looked()
        await pilot.pause()
        assert chart.drawings == first and chart._strips is strips, "an equal line is the same line"
        await typed(pilot, "left", "left")
        chart.show("another title", app.given, app.look, current=True)
        await pilot.pause()
        assert chart.drawings == first, "cursor and title lie over the drawing"
        for count, key in enumerate(("plus", "y", "z", "t"), 1):
            await typed(pilot, key)
            assert chart.drawings == first + count, key
        app.given = [line(list(range(1, 102)))]
        app.looked()
        await pilot.pause()
        assert chart.drawings == first + 5
        chart.display = False
        app.given = [RAMP]
        app.looked()
        await pilot.pause()
        assert chart.drawings == first + 5, "what cannot be seen is not drawn"


async def test_a_grown_curve_looks_like_one_that_came_at_once() -> None:
    noise = np.random.default_rng(1).normal(size=700).cumsum()
    whole = line(list(noise))
    async with charted(whole) as (app, pilot):
        await typed(pilot, "z", "plus")
        expected = shown(app)
    async with charted() as (app, pilot):
        await typed(pilot, "z")
        for end in (1, 20, 300, 700):
            app.given = [replace(whole, x=whole.x[:end], y=whole.y[:end])]
            app.looked()
            await pilot.pause()
        await typed(pilot, "plus")
        assert shown(app) == expected


async def test_what_is_everything_may_be_more_than_the_lines_cover() -> None:
    """Charts beside each other share their steps; zooming out means all of them, even if that is new."""
    async with charted(RAMP) as (app, pilot):
        look = Look(window=(10, 20))
        app.chart.show("loss", [RAMP], look, extent=Extent(1, 100, 100))
        app.chart.show("loss", [RAMP], look, extent=Extent(1, 1000, 1000))
        assert app.chart.extent.last == 1000
        app.look = look.zoomed(app.chart.extent, 10, 20)
        app.chart.show("loss", [RAMP], app.look, extent=Extent(1, 1000, 1000))
        await pilot.pause()
        assert app.look.window == (1, 101)


def test_what_a_fork_has_from_its_parent_is_dim() -> None:
    x = np.arange(0.0, 101.0)
    line = Line("", x, x, since=50.0)
    assert not line.same(Line("", x, line.y)) and line.same(Line("", x, line.y, since=50.0))
    made = draw(
        [line], lambda line: line.y, Look(), extent_of([line]), log_y=False, columns=60, rows=12, top=2, unit="step",
        theme=Theme(Style(), Style()),
    )  # fmt: skip
    strips = made.sheet.strips(Style())
    cells = [(piece.style is not None and piece.style.dim, piece.text) for strip in strips for piece in strip]
    drawn = [(bool(dim), sum("\u2800" < letter <= "\u28ff" for letter in text)) for dim, text in cells]
    own, past = (sum(count for dim, count in drawn if dim is wanted) for wanted in (False, True))
    assert own == pytest.approx(past, rel=0.2) and past > 10
