"""What charts are made of, as properties: nothing is lost in thinning, nothing invented, ticks are sane."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from rich.style import Style

from dlkit.monitor.history import History
from dlkit.tui.chart.axes import Range, labels, linear_ticks, log_labels, log_ticks, step_labels, thousands, value_range
from dlkit.tui.chart.canvas import DOTS_DOWN, Sheet, dots, row_of
from dlkit.tui.chart.draw import Drawing, draw
from dlkit.tui.chart.frame import Theme
from dlkit.tui.chart.legend import arranged
from dlkit.tui.chart.line import Heat, Line, extent_of
from dlkit.tui.chart.look import Extent, Look
from dlkit.tui.chart.smooth import LEVELS, smoothed
from dlkit.tui.chart.thin import Floats, Spans, column_edges, thin

Mask = npt.NDArray[np.bool_]
THEME = Theme(Style(), Style())
finite = st.floats(-1e6, 1e6)
anything = finite | st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -1.0, 1e300, -1e308, 5e-324])


@st.composite
def steps(draw_: st.DrawFn, most: int = 80) -> npt.NDArray[np.int64]:
    """Ascending, with gaps, some of them wide; now and then two points at one step."""
    gaps = draw_(st.lists(st.integers(0, 3) | st.integers(1, 1000), min_size=1, max_size=most))
    return np.cumsum(np.array(gaps, np.int64))


@st.composite
def series(draw_: st.DrawFn, values: st.SearchStrategy[float] = anything) -> tuple[npt.NDArray[np.int64], Floats]:
    x = draw_(steps())
    return x, np.array(draw_(st.lists(values, min_size=len(x), max_size=len(x))), np.float64)


@st.composite
def windows(draw_: st.DrawFn, x: npt.NDArray[np.int64], *, log: bool) -> Floats:
    """The edges of columns over all of a series, a part of it, or more than it."""
    last = float(x[-1])
    a, b = sorted((draw_(st.floats(-5, last + 5)), draw_(st.floats(-5, last + 5))))
    if log:
        a, b = max(a, 0.5), max(b, 0.5)
    assume(b - a > 1e-3)
    return column_edges(a, b, draw_(st.integers(1, 60)), log=log)


def mask_of(spans: Spans, rows: int) -> Mask:
    """The dots of a line, a boolean each, row by row from the top."""
    values = value_range([spans])
    assert values is not None
    cells = dots(spans, values, rows)
    bits = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
    found: Mask = (cells[:, None, :, None] & bits[None, :, None, :]) > 0
    return found.reshape(rows * DOTS_DOWN, -1)


def members(x: npt.NDArray[np.int64], edges: Floats) -> list[Mask]:
    """The points of each column, as the contract says."""
    found = [(x >= a) & (x < b) for a, b in pairwise(edges)]
    found[-1] |= x == edges[-1]
    return found


@given(st.data(), series(), st.booleans(), st.booleans())
def test_columns_hold_their_points_and_no_others(
    data: st.DataObject, line: tuple[npt.NDArray[np.int64], Floats], log_x: bool, log_y: bool
) -> None:
    """Against the plainest way to do it."""
    x, y = line
    edges = data.draw(windows(x, log=log_x))
    spans = thin(x, y, edges, log_x=log_x, log_y=log_y)
    columns = members(x, edges)
    inside = (x >= edges[0]) & (x <= edges[-1])
    assert sum(column.sum() for column in columns) == inside.sum(), "no point in two columns"
    left_out = 0
    for i, column in enumerate(columns):
        there = y[column]
        drawable = there[np.isfinite(there)]
        if log_y:
            left_out += int((drawable <= 0).sum())
            drawable = np.log10(drawable[drawable > 0])
        expected = (drawable.min(), drawable.max()) if len(drawable) else (math.nan, math.nan)
        np.testing.assert_array_equal((spans.low[i], spans.high[i]), expected)
        assert spans.above[i] == (there == math.inf).any()
        assert spans.below[i] == (np.isnan(there) | (there == -math.inf)).any()
    if log_x and not ((x > 0) & (x < edges[0])).any():
        left_out += int((x <= 0).sum())
    assert spans.left_out == left_out


@given(st.data(), series(), st.booleans(), st.booleans())
def test_the_line_never_leaves_the_values_that_it_joins(
    data: st.DataObject, line: tuple[npt.NDArray[np.int64], Floats], log_x: bool, log_y: bool
) -> None:
    x, y = line
    edges = data.draw(windows(x, log=log_x))
    spans = thin(x, y, edges, log_x=log_x, log_y=log_y)
    with np.errstate(invalid="ignore", divide="ignore"):
        heights = np.log10(np.where(y > 0, y, np.nan)) if log_y else y
    for edge, height in zip(edges, spans.edges, strict=True):
        before, after = np.flatnonzero(x < edge), np.flatnonzero(x >= edge)
        joined = len(before) and len(after) and (not log_x or x[before[-1]] > 0)
        ends = [heights[before[-1]], heights[after[0]]] if joined else [math.nan]
        if np.isfinite(ends).all():
            assert min(ends) <= height <= max(ends)
        else:
            assert math.isnan(height), "a line is broken where there is no number"


@given(st.data(), series(finite), st.integers(1, 12))
def test_a_line_of_numbers_is_unbroken(
    data: st.DataObject, line: tuple[npt.NDArray[np.int64], Floats], rows: int
) -> None:
    """From its first column to its last, each sharing a row with the next."""
    x, y = line
    edges = data.draw(windows(x, log=False))
    spans = thin(x, y, edges)
    assume(value_range([spans]) is not None)
    drawn = mask_of(spans, rows) if len(edges) % 2 else mask_of(thin(x, y, np.append(edges, edges[-1] + 1)), rows)
    filled = np.flatnonzero(drawn.any(0))
    assert (np.diff(filled) == 1).all()
    for a, b in pairwise(filled):
        assert (drawn[:, a] & drawn[:, b]).any()


@st.composite
def spikes(draw_: st.DrawFn) -> tuple[npt.NDArray[np.int64], Floats, int, bool]:
    """A noisy line with a point that stands out: x, y, its place, whether it stands out upwards."""
    x = np.unique(draw_(steps(300)))
    noise = np.random.default_rng(draw_(st.integers(0, 99))).uniform(0.5, 1.0, len(x))
    place, up = draw_(st.integers(0, len(x) - 1)), draw_(st.booleans())
    noise[place] = draw_(st.floats(1.5, 1e9)) if up else draw_(st.floats(1e-9, 0.2))
    return x, noise, place, up


@given(st.data(), spikes(), st.integers(1, 200), st.integers(1, 40), st.booleans(), st.booleans())
def test_a_spike_of_one_point_is_always_seen(
    data: st.DataObject, spike: tuple[npt.NDArray[np.int64], Floats, int, bool], columns: int, rows: int, log_x: bool,
    log_y: bool,
) -> None:  # fmt: skip
    """Wherever it is in whatever window: its column of dots reaches the row at the very top, or at the bottom."""
    x, y, place, up = spike
    assume(x[place] > 0 or not log_x)
    first, last = float(x[0]), float(x[-1]) + 1
    a = data.draw(st.floats(max(first, 0.5) if log_x else first - 5, float(x[place])))
    b = data.draw(st.floats(float(x[place]), last + 5))
    assume(b > a * (1 + 1e-6) + 1e-6)
    edges = column_edges(a, b, 2 * columns, log=log_x)
    spans = thin(x, y, edges, log_x=log_x, log_y=log_y)
    column = min(2 * columns - 1, int(np.searchsorted(edges, x[place], "right")) - 1)
    value = math.log10(y[place]) if log_y else y[place]
    assert (spans.high if up else spans.low)[column] == pytest.approx(value, rel=1e-15)
    drawn = mask_of(spans, rows)
    if ((x >= a) & (x <= b)).sum() > 1:
        assert drawn[0 if up else -1, column]
    else:
        assert drawn[:, column].any(), "alone it lies in the middle"


@given(spikes(), st.integers(30, 160), st.integers(10, 50), st.sampled_from(range(len(LEVELS))), st.booleans())
@settings(max_examples=50)
def test_a_spike_is_seen_on_the_finished_sheet(
    spike: tuple[npt.NDArray[np.int64], Floats, int, bool], columns: int, rows: int, level: int, log_y: bool
) -> None:
    """Whatever is drawn over it: smoothed lines, marks, ticks."""
    x, y, place, up = spike
    assume(len(x) > 1)
    line = Line("train", x, y, "t")
    extent, look = extent_of([line]), Look(level=level)
    drawing = draw(
        [line], lambda line: smoothed(line.y, look.weight), look, extent,
        log_y=log_y, columns=columns, rows=rows, top=2, unit="step", theme=THEME,
    )  # fmt: skip
    column = drawing.column(look.place(extent, float(x[place])))
    assert column is not None
    row = drawing.frame.top if up else drawing.frame.top + drawing.frame.rows - 1
    assert not drawing.sheet.blank(row, column)


def pictured(
    lines: list[Line], *, log_y: bool = False, look: Look | None = None, size: tuple[int, int] = (60, 16)
) -> str:
    """A drawing as text."""
    look = look or Look()
    drawing = draw(
        lines, lambda line: smoothed(line.y, look.weight), look, extent_of(lines),
        log_y=log_y, columns=size[0], rows=size[1], top=1, unit="step", theme=THEME,
    )  # fmt: skip
    return "\n".join(strip.text for strip in drawing.sheet.strips(Style()))


@given(st.data(), series(), st.booleans(), st.sampled_from(range(len(LEVELS))))
@settings(max_examples=50)
def test_a_picture_is_the_same_however_its_points_came(
    data: st.DataObject, line: tuple[npt.NDArray[np.int64], Floats], log_y: bool, level: int
) -> None:
    """All at once, or piece by piece and looked at in between."""
    x, y = line
    history, look = History(), Look(level=level)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(x)), max_size=4)))
    for a, b in pairwise([0, *cuts, len(x)]):
        history.append([{"first": int(x[i]), "count": 1, "values": {"a": [float(y[i])]}} for i in range(a, b)])
        if b:
            found = history.series("a")
            grown = pictured([Line("a", found.steps, found.values)], log_y=log_y, look=look)
            assert grown == pictured([Line("a", x[:b], y[:b])], log_y=log_y, look=look)


@given(st.data(), series(), st.booleans())
@settings(max_examples=50)
def test_whole_numbers_and_fractions_are_thinned_alike(
    data: st.DataObject, line: tuple[npt.NDArray[np.int64], Floats], log_x: bool
) -> None:
    x, y = line
    edges = data.draw(windows(x, log=log_x))
    for mine, other in zip(thin(x, y, edges, log_x=log_x), thin(x.astype(float), y, edges, log_x=log_x), strict=True):
        np.testing.assert_array_equal(mine, other)


@given(
    st.lists(series(st.floats()), max_size=3), st.booleans(), st.booleans(), st.integers(0, 3), st.integers(1, 90),
    st.integers(1, 30), st.booleans(),
)  # fmt: skip
@settings(max_examples=50)
def test_whatever_the_numbers_every_row_is_drawn_to_its_end(
    given_: list[tuple[npt.NDArray[np.int64], Floats]], log_x: bool, log_y: bool, level: int, columns: int, rows: int,
    plain: bool,
) -> None:  # fmt: skip
    lines = [Line(f"line {i}", x, y, "ABC"[i]) for i, (x, y) in enumerate(given_)]
    look = Look(log_x=log_x, level=level)
    drawing = draw(
        lines, lambda line: smoothed(line.y, look.weight), look, extent_of(lines), log_y=log_y, columns=columns,
        rows=rows, top=min(2, rows - 1), unit="step", theme=THEME._replace(plain=plain),
    )  # fmt: skip
    strips = drawing.sheet.strips(Style())
    assert [strip.cell_length for strip in strips] == [columns] * rows
    assert not plain or all(strip.text.isascii() for strip in strips)


def test_what_is_no_number_is_marked_where_it_is() -> None:
    x = np.arange(100)
    y = np.linspace(0, 1, 100)
    y[20], y[50], y[80] = math.nan, math.inf, -math.inf
    rows = pictured([Line("a", x, y)]).splitlines()
    top, bottom = rows[1], rows[-3]
    assert top.count("×") == 1 and bottom.count("×") == 2
    assert abs(top.index("×") - (4 + 50 * 56 / 100)) < 3
    assert bottom.index("×") < top.index("×") < bottom.rindex("×")


def test_a_log_axis_leaves_out_what_is_not_above_zero() -> None:
    x, y = np.arange(10), np.array([0.0, -1, 1, 10, 100, 0, 10, 1, 10, 100])
    spans = thin(x, y, column_edges(0, 9, 10), log_y=True)
    assert spans.left_out == 3 and np.nanmax(spans.high) == 2 and np.nanmin(spans.low) == 0
    spans = thin(x, y, column_edges(1, 9, 10, log=True), log_x=True, log_y=True)
    assert spans.left_out == 3, "step 0, the value −1, the value 0"
    spans = thin(x, y, column_edges(2, 9, 10, log=True), log_x=True)
    assert spans.left_out == 0, "step 0 is not in this window"


# Letters and the legend


def letters(lines: list[Line], size: tuple[int, int] = (80, 20)) -> dict[str, list[tuple[int, int]]]:
    """Where each line's letter stands: row and column."""
    rows = pictured(lines, size=size).splitlines()
    return {
        line.key: [(r, c) for r, row in enumerate(rows) for c, sign in enumerate(row) if sign == line.key]
        for line in lines
    }


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.integers(2, 300))
@settings(max_examples=50)
def test_letters_stand_at_the_ends_of_their_lines(ends: list[float], count: int) -> None:
    """However many end at one value: in its row, or at most in the next one."""
    x = np.arange(count)
    ramps = [Line(f"line {i}", x, np.linspace(0.5, end, count), "ABCDEFGHIJKL"[i]) for i, end in enumerate(ends)]
    lines = [*ramps, Line("", x, np.linspace(0, 1, count))]
    rows, found = 20 - 1 - 2, letters(ramps + lines[-1:])
    for line, end in zip(ramps, ends, strict=True):
        row = 1 + row_of(end, Range(0, 1), rows)
        last_row, last_column = max(found[line.key], key=lambda place: place[1])
        assert abs(last_row - row) <= 1 and last_column >= 80 - len(ends)


def test_a_letter_is_written_once_on_a_short_curve_and_on_one_that_is_alone() -> None:
    short = Line("val", np.array([0, 2, 4]), np.array([1.0, 2.0, 3.0]), "V")
    long = Line("train", np.arange(100), np.linspace(3, 1, 100), "T")
    assert {key: len(found) for key, found in letters([short, long]).items()} == {"V": 1, "T": 2}
    assert len(letters([long])["T"]) == 1
    few = Line("val", np.arange(16) * 2, np.arange(16) / 5, "V")
    assert len(letters([few, long])["V"]) == 1, "of 16 points in a third of the chart"


def test_what_has_no_room_in_a_legend_is_said_shorter_first() -> None:
    forms = [["A a long name 0.5", "A 0.5"], ["B another 0.25", "B 0.25"], ["C 1"]]
    assert [placed.text for placed in arranged(forms, 60, 1)] == [form[0] for form in forms]
    assert [(placed.row, placed.text) for placed in arranged(forms, 34, 2)] == [
        (0, "A a long name 0.5"), (0, "B another 0.25"), (1, "C 1")
    ]  # fmt: skip
    assert [placed.text for placed in arranged(forms, 30, 1)] == ["A 0.5", "B 0.25", "C 1"]
    assert [placed.text for placed in arranged(forms, 16, 1)] == ["A 0.5"], "room for … 2 more"
    assert arranged(forms, 60, 0) == []


# Distributions


def hot(shares: Floats, *, decades: bool = False, theme: Theme = THEME, columns: int = 44, rows: int = 13) -> Drawing:
    """Three steps with as many distributions from −1 to 1."""
    line = Line("median", np.array([0, 10, 20]), np.array([0.1, 0.1, 0.1]), heat=Heat(shares, -1, 1, decades))
    return draw(
        [line], lambda line: line.y, Look(), extent_of([line]), log_y=decades, columns=columns, rows=rows, top=1,
        unit="step", theme=theme,
    )  # fmt: skip


def filled(drawing: Drawing) -> Mask:
    """Which cells of the plot have something in them."""
    frame = drawing.frame
    cells = [
        [not drawing.sheet.blank(frame.top + row, frame.left + column) for column in range(frame.columns)]
        for row in range(frame.rows)
    ]
    return np.array(cells)


def test_a_distribution_stands_from_its_step_to_the_next() -> None:
    shares = np.zeros((3, 48))
    shares[0, :24], shares[1, 24:], shares[2] = 1, 1, 0
    for theme in (THEME, THEME._replace(plain=True), THEME._replace(colour=False)):
        found = filled(hot(shares, theme=theme))
        half, (rows, columns) = found.shape[1] // 2, found.shape
        assert found[rows // 2 + 1 :, 1 : half - 1].all() and not found[: rows // 2, 1 : half - 1].any()
        assert (
            found[: rows // 2, half + 1 : columns - 1].all()
            and not found[rows // 2 + 1 :, half + 1 : columns - 1].any()
        )


@given(st.integers(0, 47), st.integers(8, 40))
def test_the_narrowest_part_of_a_distribution_is_seen(part: int, rows: int) -> None:
    """Where a row stands for several of them, too: the zeros of a ReLU."""
    shares = np.zeros((3, 48))
    shares[:, part] = 1
    found = filled(hot(shares, rows=rows))
    assert found.any(0)[1:-1].all()


def test_what_has_no_place_on_an_axis_is_not_drawn() -> None:
    assert not filled(hot(np.zeros((3, 48)))).any()
    drawing = hot(np.ones((3, 48)), decades=True)
    assert drawing.values == Range(-1, 1) and filled(drawing).all()


# Smoothing


@given(st.lists(st.floats(-1e6, 1e6) | st.sampled_from([math.nan, math.inf]), max_size=300), st.sampled_from(LEVELS))
def test_smoothing_is_the_moving_average_of_the_book(values: list[float], weight: float) -> None:
    average, weights, expected = 0.0, 0.0, []
    for value in values:
        if math.isfinite(value):
            average = weight * average + (1 - weight) * value
            weights = weight * weights + 1 - weight
        expected.append(average / weights if math.isfinite(value) else value)
    np.testing.assert_allclose(smoothed(np.array(values), weight), expected, rtol=1e-9, atol=1e-6)


def test_smoothing_of_a_long_curve() -> None:
    """Of more points than a block of blocks holds: a constant stays one, and what is long past is forgotten."""
    found = smoothed(np.full(300_000, 3.0), 0.99)
    np.testing.assert_allclose(found, 3.0, rtol=1e-12)
    stepped = np.where(np.arange(300_000) < 100_000, 0.0, 1.0)
    assert smoothed(stepped, 0.99)[100_000] == pytest.approx(0.01)
    assert smoothed(stepped, 0.99)[-1] == pytest.approx(1.0)


# Axes

sizes = st.floats(-1e12, 1e12) | st.sampled_from([0.0, 1.0, 1e-9, 5e-324, 1e300, -1e300, 1e306])
spread = st.floats(1e-11, 1e3)


@given(sizes, spread, st.integers(1, 20))
@example(0.0, 1.0, 2)
@example(1e-4, 1e-9, 8)
def test_ticks_are_distinct_and_inside(low: float, share: float, most: int) -> None:
    high = min(low + share * max(abs(low), 1e-290), 1e307)
    ticks = linear_ticks(low, high, most)
    step = min((b - a for a, b in pairwise(ticks)), default=high - low)
    assert step > 0 and len(ticks) <= max(most, 5)
    assert len(ticks) > 1, "one tells no distance"
    rounding = 1e-6 * step + 1e-15 * abs(low)
    assert low - rounding <= ticks[0] and ticks[-1] <= high + rounding
    texts = labels(ticks)
    assert len(set(texts)) == len(texts)
    assert [float(text) for text in texts] == pytest.approx(ticks, rel=1e-15, abs=0.51 * step)


@given(st.floats(-300, 300), st.floats(1e-9, 300), st.integers(1, 20))
@example(math.log10(1.1), math.log10(90), 2)
@settings(max_examples=50)
def test_ticks_of_a_log_axis(low: float, width: float, most: int) -> None:
    high = min(low + width, 308.0)
    ticks = log_ticks(low, high, most)
    assert all(a < b for a, b in pairwise(ticks)) and len(ticks) <= max(most, 5)
    assert len(ticks) > 1 or most == 1
    assert low - 1e-6 <= ticks[0] and ticks[-1] <= high + 1e-6
    texts = log_labels(ticks)
    assert len(set(texts)) == len(texts)
    assert [math.log10(float(text)) for text in texts if float(text) > 0] == pytest.approx(
        [tick for tick, text in zip(ticks, texts, strict=True) if float(text) > 0], abs=1e-2
    )


@given(st.floats(0, 1e9), st.floats(0.1, 1e9), st.integers(1, 12))
def test_labels_of_steps_are_distinct(low: float, width: float, most: int) -> None:
    texts = step_labels([round(tick, 9) for tick in linear_ticks(low, low + width, most)])
    assert len(set(texts)) == len(texts)


def test_labels() -> None:
    assert labels([0.0, 0.5, 1.0]) == ["0.0", "0.5", "1.0"]
    assert labels([1e-7, 2e-7]) == ["1e-7", "2e-7"] and labels([0.0]) == ["0"]
    assert labels([1e6, 1.5e6]) == ["1.0e6", "1.5e6"]
    assert log_labels([-3.0, 0.0, 3.0]) == ["0.001", "1", "1e3"]
    assert step_labels([0, 5000, 10000, 1500000]) == ["0", "5000", "10k", "1.5M"]
    assert step_labels([1000001, 1000002]) == ["1000001", "1000002"]
    assert thousands(1234567) == "1 234 567" and thousands(1.25) == "1.25"


@given(st.lists(st.floats(), max_size=8))
def test_the_range_holds_what_is_drawn(values: list[float]) -> None:
    """Within what can be reckoned with."""
    found = value_range([thin(np.arange(len(values)), np.array(values, np.float64), column_edges(-1, 9, 10))])
    there = [min(1e307, max(-1e307, value)) for value in values if math.isfinite(value)]
    if found is None:
        assert not there
    else:
        assert -math.inf < found.low <= min(there) <= max(there) <= found.high < math.inf
        assert found.low < found.high and math.isfinite(found.high - found.low)
        assert 0 <= row_of(there[0], found, 5) <= 4


# Looks

extents = st.builds(
    lambda first, width, points: Extent(first, first + width, points, max(first, 1.0)),
    st.floats(0, 1e6), st.floats(2, 1e6), st.integers(2, 10**6),
)  # fmt: skip
moves = st.lists(
    st.tuples(st.sampled_from(["zoomed", "panned", "showing"]), st.floats(0.05, 4), st.floats(0, 2e6)), max_size=6
)


@given(extents, moves, st.booleans())
@settings(max_examples=60)
def test_a_window_stays_within_what_there_is(extent: Extent, done: list[tuple[str, float, float]], log_x: bool) -> None:
    look = Look(log_x=log_x)
    for what, amount, x in done:
        if what == "zoomed":
            look = look.zoomed(extent, amount, min(max(x, look.span(extent)[0]), look.span(extent)[1]))
        elif what == "panned":
            look = look.panned(extent, amount - 2)
        else:
            inside = min(max(x, extent.positive if log_x else extent.first), extent.last)
            look = look.showing(extent, inside)
            assert -1e-6 <= look.place(extent, inside) <= 1 + 1e-6
        a, b = look.span(extent)
        slack = 1e-6 * (abs(extent.last) + 1)
        assert (extent.positive if log_x else extent.first) - slack <= a < b <= extent.last + slack
        assert look.place(extent, look.at(extent, 0.25)) == pytest.approx(0.25, abs=1e-6)


def test_a_window_at_the_end_follows_it() -> None:
    extent = Extent(1, 101, 101)
    look = Look().selected(extent, 51, 101)
    assert look.follows and look.span(Extent(1, 201, 201)) == (151, 201)
    assert Look().selected(extent, 31, 81).span(Extent(1, 201, 201)) == (31, 81)
    assert look.zoomed(extent, 2).window is None, "all of it is no part"


# Sheets


@given(st.lists(st.tuples(st.integers(-3, 12), st.text(max_size=6)), max_size=6))
def test_a_row_is_as_wide_as_it_is_whatever_is_written_into_it(texts: list[tuple[int, str]]) -> None:
    sheet = Sheet(10, 1)
    for column, text in texts:
        sheet.text(0, column, text, Style(bold=column % 2 == 0))
    (strip,) = sheet.strips(Style())
    assert sum(segment.cell_length for segment in strip) == 10
    assert strip.text.isprintable() or not any("".join(text for _, text in texts).isprintable() for _ in texts)
    strip.text.encode()


def test_wide_characters_take_two_cells_and_leave_whole() -> None:
    def after(*texts: tuple[int, str]) -> str:
        sheet = Sheet(6, 1)
        for column, text in texts:
            sheet.text(0, column, text, Style())
        return sheet.strips(Style())[0].text

    assert after((0, "中b")) == "中b   "
    assert after((5, "中")) == " " * 6 and after((-1, "中b")) == " b    "
    assert after((0, "中中"), (1, "a")) == " a中  "
    assert after((0, "中"), (0, "a")) == "a     "
    assert after((0, "a\x1b[1m\u0301\ud800b")) == "a\ufffd[1m\ufffd"
