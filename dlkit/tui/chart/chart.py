"""The widget: curves with axes, a legend, a cursor; the mouse zooms, pans and points."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np
from rich.cells import cell_len
from rich.style import Style
from textual.events import Click, MouseDown, MouseMove, MouseScrollDown, MouseScrollUp, MouseUp
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from dlkit.present.numbers import number
from dlkit.tui.chart.axes import thousands
from dlkit.tui.chart.draw import Drawing, Line, Theme, draw, extent_of
from dlkit.tui.chart.look import Extent, Look
from dlkit.tui.chart.smooth import smoothed
from dlkit.tui.chart.thin import Floats


class Chart(Widget):
    """Shows what it is given, and posts what the mouse asks for: it changes nothing by itself.

    Nothing is computed before it is seen, and nothing again that has not changed.
    """

    DEFAULT_CSS = """
    Chart { height: 1fr; width: 1fr; background: $background; }
    Chart > .chart--title { text-style: bold; }
    Chart > .chart--current { text-style: bold reverse; }
    Chart > .chart--muted { color: $text-muted; }
    Chart > .chart--broken { color: $text-error; text-style: bold; }
    """
    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"chart--title", "chart--current", "chart--muted", "chart--broken"}

    class Looked(Message):
        """Somebody wants to look at it so."""

        def __init__(self, chart: Chart, look: Look) -> None:
            self.chart, self.look = chart, look
            super().__init__()

        @property
        def control(self) -> Chart:
            return self.chart

    class Opened(Message):
        """A click on its title, or two anywhere."""

        def __init__(self, chart: Chart) -> None:
            self.chart = chart
            super().__init__()

        @property
        def control(self) -> Chart:
            return self.chart

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.title = ""
        self.lines: Sequence[Line] = ()
        self.extent = Extent()
        self.look = Look()
        self.log_y = False
        self.epochs = False
        self.current = False
        """Whether keys mean this one: its title says so."""
        self.empty = "no values yet"
        self.drawings = 0
        """How often it was drawn; tests hold that it is not drawn in vain."""
        self._drawing: Drawing | None = None
        self._strips: list[Strip] | None = None
        self._smooth: dict[int, tuple[Floats, float, Floats]] = {}
        self._held: int | None = None
        self._dragged: int | None = None

    # What others do with it

    def show(
        self, title: str, lines: Sequence[Line], look: Look, *, extent: Extent | None = None, log_y: bool = False,
        epochs: bool = False, current: bool = False,
    ) -> None:  # fmt: skip
        """Show these lines. ``extent`` is what "everything" means on the x axis, if that is more than they cover;
        ``epochs``: x counts epochs and no steps."""
        extent = extent or extent_of(lines)
        window, before = look.span(extent), self.look.span(self.extent)
        self.extent = extent
        same = len(lines) == len(self.lines) and all(a.same(b) for a, b in zip(lines, self.lines, strict=True))
        if not same or (window, look.level, look.log_x, log_y, epochs) != (
            before, self.look.level, self.look.log_x, self.log_y, self.epochs
        ):  # fmt: skip
            self._drawing = None
        elif (title, look, current) == (self.title, self.look, self.current):
            return
        self.title, self.lines, self.look = title, lines, look
        self.log_y, self.epochs, self.current = log_y, epochs, current
        self._strips = None
        self.refresh()

    def moved(self, by: int) -> Look:
        """The cursor ``by`` cells to the right, at least to the next point; it begins at the end."""
        longest = max(self.lines, key=lambda line: len(line.x), default=None)
        if longest is None or not len(longest.x):
            return self.look
        if self.look.cursor is None:
            return self._pointed(longest, self.look.span(self.extent)[1])
        place = self.look.place(self.extent, self.look.cursor) + by / self._plot_columns
        now = self._nearest(longest, self.look.cursor)
        goal = self._nearest(longest, self.look.at(self.extent, place))
        if goal == now or (goal < now) != (by < 0):
            goal = max(0, min(len(longest.x) - 1, now + (1 if by > 0 else -1)))
        x = float(longest.x[goal])
        return replace(self.look, cursor=x).showing(self.extent, x)

    def values_at(self, x: float) -> list[tuple[Line, int]]:
        """Every line with its last point not beyond x, −1 if it has none yet."""
        return [(line, line.at(x)) for line in self.lines]

    def _pointed(self, line: Line, x: float) -> Look:
        return replace(self.look, cursor=float(line.x[self._nearest(line, x)]))

    def _nearest(self, line: Line, x: float) -> int:
        after = min(int(np.searchsorted(line.x, x)), len(line.x) - 1)
        return after - 1 if after > 0 and x - line.x[after - 1] <= line.x[after] - x else after

    # Drawing

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._drawing = self._strips = None

    def render_line(self, y: int) -> Strip:
        if self._strips is None or len(self._strips) != self.size.height:
            self._strips = self._rendered(self.size)
        return self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width, self.rich_style)

    def _rendered(self, size: Size) -> list[Strip]:
        if not size.width or not size.height:
            return []
        drawing = self._drawn(size)
        sheet = drawing.sheet.copy()
        whole = Drawing(sheet, drawing.frame, drawing.values, drawing.left_out)
        self._head(whole)
        if drawing.values is None:
            text = "nothing finite to draw" if any(len(line.y) for line in self.lines) else self.empty
            sheet.text(drawing.frame.top + drawing.frame.rows // 2, drawing.frame.left + 1, text, self._muted)
        self._cursor(whole)
        if self._held is not None and self._dragged is not None:
            a, b = sorted((self._held, self._dragged))
            rows = slice(drawing.frame.top, drawing.frame.top + drawing.frame.rows)
            sheet.shade(rows, slice(max(0, a), b + 1), Style(reverse=True))
        return sheet.strips(self.rich_style)

    def _drawn(self, size: Size) -> Drawing:
        kept = self._drawing
        if kept is None or (kept.sheet.columns, kept.sheet.rows) != (size.width, size.height):
            self.drawings += 1
            theme = Theme(self._muted, self.get_component_rich_style("chart--broken", partial=True), self._plain)
            self._drawing = kept = draw(
                self.lines, self._smoothed, self.look, self.extent, log_y=self.log_y, columns=size.width,
                rows=size.height, top=self._head_rows(size), epochs=self.epochs, theme=theme,
            )  # fmt: skip
        return kept

    @property
    def _muted(self) -> Style:
        return self.get_component_rich_style("chart--muted")

    @property
    def _plain(self) -> bool:
        """Linux's own console has no braille, nor has a terminal that is not UTF-8."""
        return os.environ.get("TERM") == "linux" or not self.app.console.encoding.lower().startswith("utf")

    @property
    def _plot_columns(self) -> int:
        return self._drawing.frame.columns if self._drawing is not None else max(1, self.size.width)

    def _smoothed(self, line: Line) -> Floats:
        place, weight = self.lines.index(line), self.look.weight
        known = self._smooth.get(place)
        if known is None or known[0] is not line.y or known[1] != weight:
            known = self._smooth[place] = line.y, weight, smoothed(line.y, weight)
        return known[2]

    # Title and legend

    def _head_rows(self, size: Size) -> int:
        if size.height < 5:
            return min(1, size.height - 1)
        wide = [cell_len(self._legend_text(line, number(-1.2345e-10))) for line in self.lines]
        return 1 + min(max(1, size.height // 6), len(_packed(wide, size.width)))

    def _head(self, drawing: Drawing) -> None:
        sheet = drawing.sheet
        if drawing.frame.top:
            style = self.get_component_rich_style("chart--current" if self.current else "chart--title", partial=True)
            sheet.text(0, 0, f"> {self.title} " if self.current else self.title, style)
            about = " · ".join(self._about(drawing))
            start = sheet.columns - len(about)
            if start > cell_len(self.title) + 4:
                sheet.text(0, start, about, self._muted)
        self._legend(drawing)

    def _about(self, drawing: Drawing) -> list[str]:
        left_out = f"{drawing.left_out} not above 0 left out" if drawing.left_out else ""
        found = [left_out, "log" if self.log_y else "", "log steps" if self.look.log_x else ""]
        found += [f"smooth {self.look.weight:g}" if self.look.level else "", "part" if self.look.window else ""]
        return [text for text in found if text]

    def _legend(self, drawing: Drawing) -> None:
        cursor, rows = self.look.cursor, drawing.frame.top - 1
        items: list[tuple[str, Style]] = []
        if cursor is not None:
            items.append((f"{'epoch' if self.epochs else 'step'} {thousands(cursor)}", Style(bold=True)))
        for line in self.lines:
            items.append((self._legend_text(line, self._value(line, cursor)), Style(color=line.colour)))
        packed = _packed([cell_len(text) for text, _ in items], drawing.sheet.columns)
        for row, places in enumerate(packed[:rows], 1):
            for place, column in places:
                drawing.sheet.text(row, column, *items[place])
        if len(packed) > rows > 0:
            more = sum(len(places) for places in packed[rows:])
            text = f" … {more} more"
            drawing.sheet.text(rows, drawing.sheet.columns - len(text), text, self._muted)

    def _legend_text(self, line: Line, value: str) -> str:
        name = line.name or ("" if self.look.cursor is not None or line.key else "last")
        return " ".join(part for part in (line.key, name, value) if part)

    def _value(self, line: Line, cursor: float | None) -> str:
        place = len(line.y) - 1 if cursor is None else line.at(cursor)
        if place < 0:
            return "-"
        text = number(float(line.y[place])) if cursor is None else f"{float(line.y[place]):.6g}"
        if self.look.level:
            text += f" ~{number(float(self._smoothed(line)[place]))}"
        if cursor is not None and line.x[place] != cursor:
            text += f" @{thousands(float(line.x[place]))}"
        return text

    def _cursor(self, drawing: Drawing) -> None:
        if self.look.cursor is None:
            return
        column = drawing.column(self.look.place(self.extent, self.look.cursor))
        if column is None:
            return
        frame = drawing.frame
        for row in range(frame.top, frame.top + frame.rows):
            if drawing.sheet.blank(row, column):
                drawing.sheet.text(row, column, "|" if drawing.sheet.plain else "┊", self._muted)
        drawing.sheet.shade(slice(frame.top, frame.top + frame.rows), slice(column, column + 1), Style(bold=True))

    # The mouse

    def _x_at(self, column: int) -> float:
        """What a column of the widget stands for: the outer ones for the ends of what is seen."""
        frame = self._drawn(self.size).frame
        return self.look.at(self.extent, min(1.0, max(0.0, (column - frame.left) / max(1, frame.columns - 1))))

    def _want(self, look: Look) -> None:
        self.post_message(self.Looked(self, look))

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        self._wheel(event, 0.8)

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        self._wheel(event, 1.25)

    def _wheel(self, event: MouseScrollUp | MouseScrollDown, times: float) -> None:
        """Zooms; with shift it goes along."""
        event.stop()
        event.prevent_default()
        if event.shift:
            self._want(self.look.panned(self.extent, -0.1 if times < 1 else 0.1))
        else:
            self._want(self.look.zoomed(self.extent, times, self._x_at(event.x)))

    def on_mouse_down(self, event: MouseDown) -> None:
        if event.button == 1 and event.y:
            self._held = event.x
            self.capture_mouse()

    def on_mouse_move(self, event: MouseMove) -> None:
        if self._held is not None and (self._dragged is not None or abs(event.x - self._held) > 1):
            self._dragged = max(self._drawn(self.size).frame.left, min(self.size.width - 1, event.x))
            self._strips = None
            self.refresh()

    def on_mouse_up(self, event: MouseUp) -> None:
        held, dragged = self._held, self._dragged
        self._held = self._dragged = None
        if held is None:
            return
        self.release_mouse()
        if dragged is not None:
            self._strips = None
            self.refresh()
            self._want(self.look.selected(self.extent, self._x_at(held), self._x_at(dragged)))
        elif self.lines and any(len(line.x) for line in self.lines):
            longest = max(self.lines, key=lambda line: len(line.x))
            self._want(self._pointed(longest, self._x_at(held)))

    def on_click(self, event: Click) -> None:
        if event.y == 0 or event.chain == 2:
            self.post_message(self.Opened(self))


def _packed(widths: Sequence[int], columns: int) -> list[list[tuple[int, int]]]:
    """Things side by side, three cells apart, in as many rows as it takes: (which, column) row by row."""
    rows: list[list[tuple[int, int]]] = [[]]
    column = 0
    for place, width in enumerate(widths):
        if rows[-1] and column + width > columns:
            rows.append([])
            column = 0
        rows[-1].append((place, column))
        column += width + 3
    return rows
