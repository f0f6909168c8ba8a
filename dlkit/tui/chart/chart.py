"""The widget: curves with axes, a legend, a cursor; the mouse zooms, pans and points."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, NamedTuple

import numpy as np
from rich.cells import cell_len
from rich.style import Style
from textual.events import Click, MouseDown, MouseMove, MouseScrollDown, MouseScrollUp, MouseUp
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from dlkit.present.numbers import number
from dlkit.tui.chart import units
from dlkit.tui.chart.draw import Drawing, draw
from dlkit.tui.chart.frame import Frame, Theme
from dlkit.tui.chart.legend import arranged, more, packed
from dlkit.tui.chart.line import Line, Mark, extent_of
from dlkit.tui.chart.look import Extent, Look
from dlkit.tui.chart.marks import SIGNS
from dlkit.tui.chart.smooth import smoothed
from dlkit.tui.chart.thin import Floats


class Looks(NamedTuple):
    """What a picture depends on besides what it shows: the whole of a cache's key."""

    size: Size
    base: Style
    title: Style
    current: Style
    theme: Theme


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
        self.unit = units.STEP
        self.happened: Sequence[Mark] = ()
        self.current = False
        """Whether keys mean this one: its title says so."""
        self.empty = "no values yet"
        self.drawings = 0
        """How often it was drawn; tests hold that it is not drawn in vain."""
        self._drawing: Drawing | None = None
        self._drawn_for: tuple[object, ...] = ()
        self._strips: list[Strip] | None = None
        self._looks: Looks | None = None
        self._smooth: dict[int, tuple[Floats, float, Floats]] = {}
        self._held: int | None = None
        self._dragged: int | None = None

    # What others do with it

    def show(
        self, title: str, lines: Sequence[Line], look: Look, *, extent: Extent | None = None, log_y: bool = False,
        unit: str = units.STEP, current: bool = False, happened: Sequence[Mark] = (),
    ) -> None:  # fmt: skip
        """Show these lines. ``extent`` is what "everything" means on the x axis, if that is more than they cover;
        ``unit``: what x counts; ``happened``: what is marked on it."""
        extent = extent or extent_of(lines)
        window, before = look.span(extent), self.look.span(self.extent)
        self.extent = extent
        same = len(lines) == len(self.lines) and all(a.same(b) for a, b in zip(lines, self.lines, strict=True))
        if not same or (window, look.level, look.log_x, log_y, unit, happened) != (
            before, self.look.level, self.look.log_x, self.log_y, self.unit, self.happened
        ):  # fmt: skip
            self._drawing = None
        elif (title, look, current) == (self.title, self.look, self.current):
            return
        self.title, self.lines, self.look = title, lines, look
        self.log_y, self.unit, self.current, self.happened = log_y, unit, current, happened
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

    def render_lines(self, crop: Region) -> list[Strip]:
        """Once for all lines of a repaint: to find out how this looks takes as long as to draw a line."""
        self._look_around()
        return super().render_lines(crop)

    def _look_around(self) -> Looks:
        """How this is to look now; what was drawn for other sizes or colours is forgotten."""
        base = self.rich_style
        theme = Theme(
            self.get_component_rich_style("chart--muted"),
            self.get_component_rich_style("chart--broken", partial=True),
            self._plain,
            self.app.current_theme.dark,
            base.bgcolor.get_truecolor() if base.bgcolor is not None else (18, 18, 18),
            not self.app.no_color,
        )
        title, current = (
            self.get_component_rich_style(f"chart--{name}", partial=True) for name in ("title", "current")
        )
        looks = Looks(self.size, base, title, current, theme)
        if looks != self._looks:
            self._looks, self._strips = looks, None
        return looks

    def render_line(self, y: int) -> Strip:
        if self._strips is None or self._looks is None or self._looks.size != self.size:
            self._strips = self._rendered(self._look_around())
        return self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width, self.rich_style)

    def _rendered(self, looks: Looks) -> list[Strip]:
        if not looks.size.width or not looks.size.height:
            return []
        drawing = self._drawn(looks)
        sheet = drawing.sheet.copy()
        whole = Drawing(sheet, drawing.frame, drawing.values, drawing.left_out)
        self._head(whole, looks)
        muted = looks.theme.muted
        if drawing.values is None:
            text = "nothing finite to draw" if any(len(line.y) for line in self.lines) else self.empty
            sheet.text(drawing.frame.top + drawing.frame.rows // 2, drawing.frame.left + 1, text, muted)
        self._cursor(whole, muted)
        if self._held is not None and self._dragged is not None:
            a, b = sorted((self._held, self._dragged))
            rows = slice(drawing.frame.top, drawing.frame.top + drawing.frame.rows)
            sheet.shade(rows, slice(max(0, a), b + 1), Style(reverse=True))
        return sheet.strips(looks.base)

    def _drawn(self, looks: Looks) -> Drawing:
        """The plot, which a cursor or another title does not change."""
        top = self._head_rows(looks.size)
        key = looks.size, looks.theme, top
        if self._drawing is None or key != self._drawn_for:
            self.drawings += 1
            self._drawn_for = key
            self._drawing = draw(
                self.lines, self._smoothed, self.look, self.extent, log_y=self.log_y, columns=looks.size.width,
                rows=looks.size.height, top=top, unit=self.unit, theme=looks.theme, happened=self.happened,
            )  # fmt: skip
        return self._drawing

    @property
    def _plain(self) -> bool:
        """Linux's own console has no braille, nor has a terminal that is not UTF-8."""
        return os.environ.get("TERM") == "linux" or not self.app.console.encoding.lower().startswith("utf")

    @property
    def _frame(self) -> Frame:
        return self._drawn(self._look_around()).frame

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
        """The title's, and as many as the legend needs at its longest, if the plot has room beside them."""
        if size.height < 5:
            return min(1, size.height - 1)
        cursor = self.look.cursor is not None
        value = "-0.1234" + " ~1.234" * bool(self.look.level) + " @1 234" * (cursor and len(self.lines) > 1)
        wide = [cell_len(self._words(line, value)) for line in self.lines]
        if cursor:
            wide.insert(0, cell_len(self._at(self.extent.last)))
        return 1 + min(max(1, (size.height - 3) // 5), len(packed(wide, size.width)))

    def _head(self, drawing: Drawing, looks: Looks) -> None:
        sheet, muted = drawing.sheet, looks.theme.muted
        if drawing.frame.top:
            style = looks.current if self.current else looks.title
            sheet.text(0, 0, f"> {self.title} " if self.current else self.title, style)
            about = " · ".join(self._about(drawing))
            start = sheet.columns - len(about)
            if start > cell_len(self.title) + 4:
                sheet.text(0, start, about, muted)
        self._legend(drawing, looks.theme)

    def _about(self, drawing: Drawing) -> list[str]:
        """How it is looked at; instead, what happened at the cursor."""
        near = [mark.text for mark in self.happened if self._at_cursor(drawing, mark)]
        if near:
            return near
        left_out = f"{drawing.left_out} not above 0 left out" if drawing.left_out else ""
        found = [left_out, "log" if self.log_y else "", f"log {self.unit}s" if self.look.log_x else ""]
        found += [f"smooth {self.look.weight:g}" if self.look.level else "", "part" if self.look.window else ""]
        kinds = dict.fromkeys(mark.kind for mark in self.happened)
        return [*filter(None, found), *(f"{SIGNS[kind][drawing.sheet.plain]} {kind}" for kind in kinds)]

    def _at_cursor(self, drawing: Drawing, mark: Mark) -> bool:
        if self.look.cursor is None:
            return False
        columns = [drawing.column(self.look.place(self.extent, x)) for x in (mark.x, self.look.cursor)]
        return None not in columns and columns[0] == columns[1]

    def _legend(self, drawing: Drawing, theme: Theme) -> None:
        sheet, cursor, rows = drawing.sheet, self.look.cursor, drawing.frame.top - 1
        at = [] if cursor is None else [(self._at(cursor),)]
        styles = [Style(bold=True)] * len(at) + [Style(color=theme.of(line)) for line in self.lines]
        forms = [*at, *(self._forms(line, cursor) for line in self.lines)]
        placed = arranged(forms, sheet.columns, rows)
        for which, row, column, text in placed:
            sheet.text(row + 1, column, text, styles[which])
        if rows > 0 and len(placed) < len(forms):
            text = more(len(forms) - len(placed))
            sheet.text(rows, sheet.columns - len(text), text, theme.muted)

    def _at(self, x: float) -> str:
        return units.words(x, self.unit)

    def _words(self, line: Line, value: str) -> str:
        name = line.name or ("" if self.look.cursor is not None or line.key else "last")
        return " ".join(part for part in (line.key, name, value) if part)

    def _forms(self, line: Line, cursor: float | None) -> list[str]:
        """A line with its value, from everything that can be said to what must be."""
        place = len(line.y) - 1 if cursor is None else line.at(cursor)
        if place < 0:
            return [self._words(line, "-"), line.key or "-"]
        exactly = float(line.y[place])
        short = number(exactly)
        smooth = f" ~{number(float(self._smoothed(line)[place]))}" if self.look.level else ""
        exact = short if cursor is None else f"{exactly:.6g}"
        where = "" if cursor is None or line.x[place] == cursor else f" @{units.value(float(line.x[place]), self.unit)}"
        full = [self._words(line, exact + smooth + where), self._words(line, short + smooth), self._words(line, short)]
        return [*full, f"{line.key} {short}" if line.key else short]

    def _cursor(self, drawing: Drawing, muted: Style) -> None:
        if self.look.cursor is None:
            return
        column = drawing.column(self.look.place(self.extent, self.look.cursor))
        if column is None:
            return
        frame = drawing.frame
        for row in range(frame.top, frame.top + frame.rows):
            if drawing.sheet.blank(row, column):
                drawing.sheet.text(row, column, "|" if drawing.sheet.plain else "┊", muted)
        drawing.sheet.shade(slice(frame.top, frame.top + frame.rows), slice(column, column + 1), Style(bold=True))

    # The mouse

    def _x_at(self, column: int) -> float:
        """What a column of the widget stands for: the outer ones for the ends of what is seen."""
        frame = self._frame
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
            self._dragged = max(self._frame.left, min(self.size.width - 1, event.x))
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
