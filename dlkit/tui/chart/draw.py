"""A chart as a sheet of characters: axes, lines, marks. What is seen is a function of what is given; no widget."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from rich.style import Style

from dlkit.present.numbers import duration
from dlkit.tui.chart import heat, marks
from dlkit.tui.chart.axes import (
    Range,
    labels,
    linear_ticks,
    log_labels,
    log_ticks,
    step_labels,
    time_ticks,
    value_range,
)
from dlkit.tui.chart.canvas import Sheet, dots, row_of
from dlkit.tui.chart.frame import Course, Frame, Theme
from dlkit.tui.chart.line import Line, Mark
from dlkit.tui.chart.look import Extent, Look
from dlkit.tui.chart.thin import Floats, Spans, column_edges, thin

# Drawn here and not by textual-plot: that has no logarithmic axis, thins nothing, and takes 250 ms to import.
_WIDEST = 21
"""Cells that the values at the y axis may take: twelve digits and an exponent, where that tells them apart."""


@dataclass(frozen=True)
class Drawing:
    """``values`` is None where nothing can be drawn; ``left_out`` counts values that a log axis has no place for."""

    sheet: Sheet
    frame: Frame
    values: Range | None
    left_out: int

    def column(self, place: float) -> int | None:
        """The sheet's column for a place (0 … 1) in the window; None outside."""
        if not -1e-9 <= place <= 1 + 1e-9:
            return None
        return self.frame.column(place)


def draw(
    lines: Sequence[Line], smooth: Callable[[Line], Floats], look: Look, extent: Extent, *,
    log_y: bool, columns: int, rows: int, top: int, unit: str, theme: Theme, happened: Sequence[Mark] = (),
) -> Drawing:  # fmt: skip
    """A sheet of columns × rows, its first ``top`` rows left for a title and a legend; x counts ``unit``s."""
    sheet = Sheet(columns, rows, plain=theme.plain)
    ruled = rows - top >= 7  # a line for the x axis besides its values
    height = max(1, rows - top - (2 if ruled else 1))
    window = look.span(extent)
    values = _range(lines, smooth, look, window, log_y=log_y)
    ticks, texts = _y_ticks(values, height, log_y=log_y)
    left = min(_WIDEST, max((len(text) for text in texts), default=0), max(0, columns - 12)) + 1
    left = min(left, columns - 1)
    frame = Frame(left, top, columns - left, height)
    edges = column_edges(*window, 2 * frame.columns, log=look.log_x)
    courses = [_course(line, smooth, look, edges, log_y=log_y) for line in lines]
    _y_axis(sheet, frame, values, ticks, texts, theme)
    _x_axis(sheet, frame, look, extent, theme, ruled=ruled, unit=unit)
    if values is not None:
        for line in lines:
            heat.paint(sheet, frame, values, line, look, extent, theme, log_y=log_y)
    courses = [course for course in courses if course.line.heat is None]
    _lines(sheet, frame, values, courses, theme, look, extent)
    marks.breaks(sheet, frame, courses, theme)
    if values is not None:
        marks.points(sheet, frame, values, courses, look, extent, theme, log_y=log_y)
        marks.events(sheet, frame, happened, look, extent, theme)
    return Drawing(sheet, frame, values, sum((c.raw or c.spans).left_out for c in courses))


def _range(
    lines: Sequence[Line], smooth: Callable[[Line], Floats], look: Look, window: tuple[float, float], *, log_y: bool
) -> Range | None:
    """Of all that is in the window, by a single column: how wide the plot will be depends on what is written at it."""
    edges = column_edges(*window, 1, log=look.log_x)
    courses = [_course(line, smooth, look, edges, log_y=log_y) for line in lines if line.heat is None]
    found = value_range([spans for course in courses for spans in (course.spans, course.raw) if spans is not None])
    ends = [found] if found is not None else []
    ends += [Range(line.heat.low, line.heat.high) for line in lines if line.heat and line.heat.decades == log_y]
    return Range(min(end.low for end in ends), max(end.high for end in ends)) if ends else None


def _course(line: Line, smooth: Callable[[Line], Floats], look: Look, edges: Floats, *, log_y: bool) -> Course:
    raw = thin(line.x, line.y, edges, log_x=look.log_x, log_y=log_y)
    if line.band is not None:
        low, high = (thin(line.x, part, edges, log_x=look.log_x, log_y=log_y) for part in line.band)
        spread = _between(raw, low, high)
        return Course(line, thin(line.x, smooth(line), edges, log_x=look.log_x, log_y=log_y), spread)
    if not look.level:
        return Course(line, raw, None)
    return Course(line, thin(line.x, smooth(line), edges, log_x=look.log_x, log_y=log_y), raw)


def _between(mean: Spans, low: Spans, high: Spans) -> Spans:
    """All from one line to another."""
    floor = np.fmin(np.fmin(low.low, low.edges[:-1]), low.edges[1:])
    roof = np.fmax(np.fmax(high.high, high.edges[:-1]), high.edges[1:])
    whole = np.isfinite(floor) & np.isfinite(roof)  # under a log axis the lower one may have no place
    nowhere = np.full(len(mean.edges), np.nan)
    return mean._replace(low=np.where(whole, floor, np.nan), high=np.where(whole, roof, np.nan), edges=nowhere)


def _y_ticks(values: Range | None, rows: int, *, log_y: bool) -> tuple[list[float], list[str]]:
    if values is None:
        return [], []
    most = max(2, rows // 3)
    if log_y:
        ticks = log_ticks(*values, most)
        return ticks, log_labels(ticks)
    ticks = linear_ticks(*values, most)
    return ticks, labels(ticks)


def _y_axis(
    sheet: Sheet, frame: Frame, values: Range | None, ticks: Sequence[float], texts: Sequence[str], theme: Theme
) -> None:
    bar, tick = ("|", "+") if theme.plain else ("│", "┤")
    axis = frame.left - 1
    for row in range(frame.rows):
        sheet.text(frame.top + row, axis, bar, theme.muted)
    if values is None:
        return
    taken = set[int]()
    for value, text in zip(ticks, texts, strict=True):
        row = row_of(value, values, frame.rows)
        if row not in taken:
            taken.add(row)
            sheet.text(frame.top + row, axis, tick, theme.muted)
            if len(text) <= axis:  # cut off it would say something else
                sheet.text(frame.top + row, axis - len(text), text, theme.muted)


def _x_axis(sheet: Sheet, frame: Frame, look: Look, extent: Extent, theme: Theme, *, ruled: bool, unit: str) -> None:
    corner, bar, tick = ("+", "-", "+") if theme.plain else ("└", "─", "┬")
    row = frame.top + frame.rows
    if ruled:
        sheet.text(row, frame.left - 1, corner + bar * frame.columns, theme.muted)
    ticks, texts = _x_ticks(look, extent, frame.columns, unit)
    free = frame.left
    end = frame.left + frame.columns
    for x, text in zip(ticks, texts, strict=True):
        column = frame.column(look.place(extent, x))
        start = min(max(column - len(text) // 2, free), end - len(text))
        if start < free or start + len(text) > end - len(unit) - 1:
            continue
        if ruled:
            sheet.text(row, column, tick, theme.muted)
        sheet.text(row + ruled, start, text, theme.muted)
        free = start + len(text) + 2
    sheet.text(row + ruled, end - len(unit), unit, theme.muted)


def _x_ticks(look: Look, extent: Extent, columns: int, unit: str) -> tuple[list[float], list[str]]:
    """As many as there is room for what is written at them."""
    x0, x1 = look.span(extent)
    for cells in (8, 12, 18):
        most = max(2, columns // cells)
        if look.log_x:
            powers = log_ticks(float(np.log10(x0)), float(np.log10(x1)), most)
            ticks, texts = [10.0**power for power in powers], log_labels(powers)
        elif unit == "time":
            ticks = time_ticks(x0, x1, most)
            texts = [duration(tick) if tick else "0" for tick in ticks]
        else:
            ticks = linear_ticks(x0, x1, most)
            texts = step_labels([round(value, 9) for value in ticks])
        if max(len(text) for text in texts) < cells - 2:
            break
    return ticks, texts


def _lines(
    sheet: Sheet,
    frame: Frame,
    values: Range | None,
    courses: Sequence[Course],
    theme: Theme,
    look: Look,
    extent: Extent,
) -> None:
    """Faint ones first: what is smoothed lies above all that is not. What a run has from its parent is dim."""
    if values is None:
        return
    for course in courses:
        if course.raw is not None:
            style = Style(color=theme.of(course.line), dim=True)
            sheet.line(dots(course.raw, values, frame.rows), frame.left, frame.top, style, faint=True)
    for course in courses:
        style = Style(color=theme.of(course.line), bold=course.raw is not None)
        cells = dots(course.spans, values, frame.rows)
        branch = 0
        if course.line.since is not None:
            branch = min(frame.columns, max(0, int(look.place(extent, course.line.since) * frame.columns)))
            dim = Style(color=theme.of(course.line), dim=True)
            sheet.line(cells[:, :branch], frame.left, frame.top, dim)
        sheet.line(cells[:, branch:], frame.left + branch, frame.top, style)
