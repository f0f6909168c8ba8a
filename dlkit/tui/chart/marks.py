"""What lies over the lines of a chart: points that stand apart, letters, what cannot be drawn, and events."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rich.style import Style

from dlkit.tui.chart.axes import Range
from dlkit.tui.chart.canvas import Sheet, row_of
from dlkit.tui.chart.frame import Course, Frame, Theme
from dlkit.tui.chart.line import Line, Mark
from dlkit.tui.chart.look import Extent, Look

SIGNS = {"best": ("★", "*"), "set": ("◆", "!"), "resumed": ("↻", ">"), "forked": ("⑂", "<")}
"""What stands at the x axis for each kind of event, also where there is ASCII alone."""
_SPARSE = 5
"""Cells a point must have for itself to be marked."""
_LONG = 24
"""Columns that a line must cover to have its letter on its way, besides the one at its end."""
_WAY = 0.75
"""Letters on the way stand before this share of it: behind, those at the end are near."""


def breaks(sheet: Sheet, frame: Frame, courses: Sequence[Course], theme: Theme) -> None:
    """A cross at the top for infinity, at the bottom for NaN and minus infinity."""
    for course in courses:
        spans = course.raw or course.spans
        for columns, row in ((spans.above, 0), (spans.below, frame.rows - 1)):
            for column in dict.fromkeys((np.flatnonzero(columns) // 2).tolist()):
                sheet.text(frame.top + row, frame.left + column, "x" if theme.plain else "×", theme.broken)


def events(sheet: Sheet, frame: Frame, happened: Sequence[Mark], look: Look, extent: Extent, theme: Theme) -> None:
    """A sign at the x axis, and a faint line upwards where nothing else is drawn, but for the best: that changes no
    curve. Call it last: it takes what is blank."""
    for mark in happened:
        place = look.place(extent, mark.x)
        if not -1e-9 <= place <= 1 + 1e-9:
            continue
        column = frame.column(place)
        for row in range(frame.top, frame.top + frame.rows) if mark.kind != "best" else ():
            if sheet.blank(row, column):
                sheet.text(row, column, ":" if theme.plain else "╎", theme.muted)
        if frame.top + frame.rows + 1 < sheet.rows:
            sheet.text(frame.top + frame.rows, column, SIGNS[mark.kind][theme.plain], Style(bold=True))


def points(
    sheet: Sheet, frame: Frame, values: Range, courses: Sequence[Course], look: Look, extent: Extent, theme: Theme,
    *, log_y: bool,
) -> None:  # fmt: skip
    """Points that lie apart, and every line's letter: at its end, and once on its way if it is long and others may
    cross it."""
    taken = set[tuple[int, int]]()
    apart = [course.raw is None and _apart(frame, course.line, look, extent) for course in courses]
    for course, lonely in zip(courses, apart, strict=True):
        if lonely:
            _dots(sheet, frame, values, course.line, look, extent, theme, log_y=log_y)
    for course in courses:
        filled = np.flatnonzero(np.isfinite(course.spans.low)) // 2
        if course.line.key and len(filled):
            _letter(sheet, frame, values, course, int(filled[-1]), taken, theme)
    for number, (course, lonely) in enumerate(zip(courses, apart, strict=True)):
        filled = np.unique(np.flatnonzero(np.isfinite(course.spans.low)) // 2)
        if course.line.key and len(courses) > 1 and not lonely and len(filled) >= _LONG:
            column = int(filled[int(len(filled) * _WAY * (number + 0.5) / len(courses))])
            _letter(sheet, frame, values, course, column, taken, theme)


def _seen(line: Line, look: Look, extent: Extent) -> slice:
    x0, x1 = look.span(extent)
    return slice(int(np.searchsorted(line.x, x0, "left")), int(np.searchsorted(line.x, x1, "right")))


def _apart(frame: Frame, line: Line, look: Look, extent: Extent) -> bool:
    """Whether each point in the window has some cells to itself."""
    return 0 < len(line.x[_seen(line, look, extent)]) * _SPARSE <= frame.columns


def _dots(
    sheet: Sheet, frame: Frame, values: Range, line: Line, look: Look, extent: Extent, theme: Theme, *, log_y: bool
) -> None:
    seen, style = _seen(line, look, extent), Style(color=theme.of(line), bold=True)
    for x, y in zip(line.x[seen].tolist(), line.y[seen].tolist(), strict=True):
        if np.isfinite(y) and (y > 0 or not log_y):
            row = row_of(float(np.log10(y)) if log_y else y, values, frame.rows)
            column = frame.column(look.place(extent, x))
            sheet.text(frame.top + row, column, "o" if sheet.plain else "•", style)


def _letter(
    sheet: Sheet, frame: Frame, values: Range, course: Course, column: int, taken: set[tuple[int, int]], theme: Theme
) -> None:
    """On the line's value, or as near to it as others' letters leave room: before it rather than above or below, since
    a cell is twice as high as wide, and a letter in another row seems to say another value."""
    spans = course.spans
    low = [value for value in spans.low[2 * column : 2 * column + 2].tolist() if value == value]
    high = [value for value in spans.high[2 * column : 2 * column + 2].tolist() if value == value]
    row = row_of((min(low) + max(high)) / 2, values, frame.rows)
    cells = ((r, c) for r in range(frame.rows) for c in range(max(0, column - frame.columns // 2), column + 1))
    free = [cell for cell in cells if cell not in taken] or [(row, column)]
    r, c = min(free, key=lambda cell: (3 * abs(cell[0] - row) + column - cell[1], cell[0]))
    taken.add((r, c))
    sheet.text(frame.top + r, frame.left + c, course.line.key, Style(color=theme.of(course.line), bold=True))
