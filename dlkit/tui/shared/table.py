"""A table that draws only the rows in view: ten thousand cost what twenty do, and no width is ever measured."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import chain, pairwise
from textwrap import wrap
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.events import Click
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from dlkit.steering import one_line

Cell = str | tuple[str, str]
"""Text, or text and a style (``"bold red"``)."""


@dataclass(frozen=True)
class Column:
    """``width`` in cells, 0: what is left over; where there is room it has up to ``most``. In a narrow window those of
    the highest ``rank`` leave first. One that is ``optional`` is there only if some row has anything in it."""

    key: str
    title: str
    width: int = 0
    right: bool = False
    rank: int = 0
    most: int = 0
    optional: bool = False


@dataclass(frozen=True)
class Row:
    """``cells`` by column key; a missing one is empty. A row with a ``line`` is a heading, which shows that over its
    whole width; on one to ``skip`` the cursor never is."""

    key: str
    cells: dict[str, Cell]
    style: str = ""
    line: Cell = ""
    skip: bool = False


class Table(ScrollView, can_focus=True):
    """Rows with a cursor, marks, and a header whose titles sort when clicked (``sort_key``, ``descending``: shown)."""

    DEFAULT_CSS = """
    Table { height: 1fr; background: $background; }
    Table > .table--header { text-style: bold; color: $text-muted; background: $surface; }
    Table > .table--cursor { background: $primary 40%; text-style: bold; }
    Table > .table--blurred { background: $surface-lighten-1; }
    Table > .table--mark { color: $accent; text-style: bold; }
    Table > .table--empty { color: $text-muted; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "table--header", "table--cursor", "table--blurred", "table--mark", "table--empty",
    }  # fmt: skip
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False, id="table.up"),
        Binding("down,j", "move(1)", "Down", show=False, id="table.down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="table.page-up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="table.page-down"),
        Binding("home,g", "end(-1)", "First", show=False, id="table.first"),
        Binding("end,G", "end(1)", "Last", show=False, id="table.last"),
    ]

    class Chosen(Message):
        """Enter, or a second click, on a row."""

        def __init__(self, table: Table, key: str) -> None:
            self.table, self.key = table, key
            super().__init__()

        @property
        def control(self) -> Table:
            return self.table

    class Moved(Chosen):
        """The cursor is on another row."""

    class HeaderClicked(Chosen):
        """``key`` is the column's."""

    # Lines are drawn from plain rows as they come into view: 10 000 rows cost what 20 do. DataTable of Textual blocks
    # for a second at that size, and with pages of it sorting and the cursor would be a page's.
    cursor: reactive[int] = reactive(0, repaint=False)  # ``watch_cursor`` knows the two lines that look different

    def __init__(self, columns: Sequence[Column], *, empty: str = "", enter: str = "", id: str | None = None) -> None:
        """``enter``: what the key line says of Enter; empty: nothing."""
        super().__init__(id=id)
        choose = Binding("enter", "choose", enter or "Open", show=bool(enter), id="table.choose")
        self._bindings.key_to_bindings["enter"] = [choose]
        self.columns = tuple(columns)
        self.empty = empty
        """Shown when there are no rows."""
        self.rows: Sequence[Row] = ()
        self.marked: set[str] = set()
        self.sort_key, self.descending = "", False
        self._shown: list[tuple[Column, int, int]] = []
        """Columns that fit into ``_fitted_to`` cells, with the cells before each and those it has."""
        self._fitted_to: tuple[int, Sequence[Column]] = (0, ())
        self._absent: frozenset[str] = frozenset()
        """Optional columns in which no row has anything."""
        self._looked: tuple[object, ...] = ()

    # What others do with it

    def say_enter(self, what: str) -> None:
        """What the key line says of Enter on the row that the cursor is on."""
        for bindings in self._bindings.key_to_bindings.values():  # the key may be somebody's own
            for i, binding in enumerate(bindings):
                if binding.action == "choose" and binding.description != what:
                    bindings[i] = replace(binding, description=what, show=bool(what))
                    self.screen.refresh_bindings()

    def show(self, rows: Sequence[Row], hidden: Collection[str] = ()) -> None:
        """Take these rows; the cursor stays on the row it was on, if that is still there. A row that is the same
        object as before is not drawn again. Rows that are ``hidden`` by now, in a group that is folded, keep marks."""
        here, before, marked = self.key, self.rows, frozenset(self.marked)
        self.rows = rows
        self._absent = frozenset(
            c.key for c in self.columns if c.optional and not any(r.cells.get(c.key) for r in rows)
        )
        self.marked &= {*(row.key for row in rows), *hidden} if self.marked else set()
        place = next((i for i, row in enumerate(rows) if row.key == here), None)
        moved = place is None and bool(rows)
        place = self._beside(min(self.cursor, max(0, len(rows) - 1)), 1) if place is None else place
        self.virtual_size = Size(0, len(rows) + 1)
        with self.prevent(Table.Moved):
            self.cursor = place
        if moved:
            self.post_message(Table.Moved(self, rows[place].key))
        self._redraw(before, marked != self.marked)

    def _redraw(self, before: Sequence[Row], marks_changed: bool) -> None:
        """The lines that are different now: over ssh a whole table is ten times the bytes."""
        looks = (self.sort_key, self.descending, self.empty, len(before), self._absent, self.columns)
        if looks != self._looked or len(before) != len(self.rows) or marks_changed:
            self._looked = (*looks[:3], len(self.rows), *looks[4:])
            self.refresh()
            return
        top = self.scroll_offset.y
        for place in range(top, min(top + self.size.height, len(self.rows))):
            if self.rows[place] is not before[place]:
                self.refresh(Region(0, place - top + 1, self.size.width, 1))

    @property
    def key(self) -> str:
        """The row under the cursor; empty if there is none."""
        here = self.rows[self.cursor] if 0 <= self.cursor < len(self.rows) else None
        return "" if here is None or here.skip else here.key

    def go_to(self, key: str) -> bool:
        """Put the cursor on a row; False if there is no such row."""
        place = next((i for i, row in enumerate(self.rows) if row.key == key), None)
        if place is not None:
            self.cursor = place
        return place is not None

    def toggle_mark(self) -> None:
        """Mark the row under the cursor, or take its mark away, and go on to the next."""
        if self.key:
            self.marked ^= {self.key}
            self.action_move(1)
            self.refresh()

    # Keys and mouse

    def action_move(self, by: int) -> None:
        self.cursor = self._beside(max(0, min(len(self.rows) - 1, self.cursor + by)), by)

    def _beside(self, place: int, by: int) -> int:
        """The row there, or the nearest in the direction of ``by``, else in the other, that is no heading."""
        step = 1 if by > 0 else -1
        ahead = range(place, len(self.rows) if step > 0 else -1, step)
        behind = range(place, -1 if step > 0 else len(self.rows), -step)
        return next((i for i in chain(ahead, behind) if i < len(self.rows) and not self.rows[i].skip), place)

    def action_page(self, by: int) -> None:
        self.action_move(by * max(1, self.size.height - 2))

    def action_end(self, which: int) -> None:
        self.action_move(which * len(self.rows))

    def action_choose(self) -> None:
        """What Enter and a double click do: tell that this row is meant."""
        if self.key:
            self.post_message(Table.Chosen(self, self.key))

    def on_click(self, event: Click) -> None:
        event.stop()
        if event.y == 0:
            column = self._column_at(event.x)
            if column is not None:
                self.post_message(Table.HeaderClicked(self, column.key))
            return
        place = event.y - 1 + self.scroll_offset.y
        if place < len(self.rows) and not self.rows[place].skip:
            again = place == self.cursor and event.chain > 1
            self.cursor = place
            if again:
                self.action_choose()

    def watch_cursor(self, before: int, now: int) -> None:
        height = max(1, self.size.height - 1)
        top, head = self.scroll_offset.y, now
        while head > 0 and head <= len(self.rows) and self.rows[head - 1].skip:
            head -= 1  # what stands under a heading is seen with it
        if head < top:
            self.scroll_to(y=head, animate=False)
        elif now >= top + height:
            self.scroll_to(y=now - height + 1, animate=False)
        else:  # two lines: a whole table is ten times the bytes over ssh
            self.refresh(*(Region(0, place - top + 1, self.size.width, 1) for place in (before, now)))
        if before != now and self.key:
            self.post_message(Table.Moved(self, self.key))

    # Drawing

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        room = self.scrollable_content_region.width  # a scrollbar comes and goes without a word
        there = tuple(column for column in self.columns if column.key not in self._absent)
        if (room, there) != self._fitted_to:
            self._shown, self._fitted_to = fit(there, room - 2), (room, there)
        if y == 0:
            return self._header(width)
        place = y - 1 + self.scroll_offset.y
        if place >= len(self.rows):
            lines = [] if self.rows else wrap(one_line(self.empty), max(1, room - 3))
            text = lines[place - 1] if 1 <= place <= len(lines) else ""
            return _strip([(f"  {text}", self._style("table--empty"))], width, self.rich_style)
        return self._row(self.rows[place], place == self.cursor, width)

    def _header(self, width: int) -> Strip:
        style = self._style("table--header")
        parts = [("  ", style)]
        for column, gap, cells in self._shown:
            arrow = ("▼" if self.descending else "▲") if column.key == self.sort_key else ""
            parts.append((" " * gap + _fitted(column.title + arrow, cells, column.right), style))
        return _strip(parts, width, style)

    def _row(self, row: Row, here: bool, width: int) -> Strip:
        base = self.rich_style + (Style.parse(row.style) if row.style else Style.null())
        if here:
            base += self._style("table--cursor" if self.has_focus else "table--blurred")
        marked = row.key in self.marked
        parts = [
            ("* " if marked else "> " if here else "  ", base + (self._style("table--mark") if marked else Style()))
        ]
        if row.line:
            text, look = (row.line, "") if isinstance(row.line, str) else row.line
            style = base if here else self._style("table--header")
            style += Style.parse(look) if look else Style.null()
            return _strip(
                [("  " if row.skip else parts[0][0], style), (_fitted(text, max(1, width - 2), False), style)],
                width,
                style,
            )
        plain = here and self.has_focus  # on the cursor's colour not every other one can be read
        for column, gap, cells in self._shown:
            cell = row.cells.get(column.key, "")
            text, look = (cell, "") if isinstance(cell, str) else cell
            style = Style.null() if plain or not look else Style.parse(look)
            parts.append((" " * gap, base))
            parts.append((_fitted(text, cells, column.right), base + style))
        return _strip(parts, width, base)

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(name)

    def _column_at(self, x: int) -> Column | None:
        left = 2
        for column, gap, cells in self._shown:
            left += gap
            if left <= x <= left + cells:
                return column
            left += cells
        return None


MOST = 1000
"""Letters of a cell that are looked at: a name of ten million takes half a second to measure."""
LEAST = 8
"""Cells that a column without a width of its own must get, or it is not shown."""


def fit(columns: Sequence[Column], width: int) -> list[tuple[Column, int, int]]:
    """Which columns fit into ``width`` cells, with the cells that are free before each and those it gets."""
    there = list(columns)
    while len(there) > 1 and width < sum((c.width or LEAST) + gap for c, gap in zip(there, _gaps(there), strict=True)):
        worst = max(there, key=lambda c: c.rank)
        there.remove(worst)
    gaps, cells = _gaps(there), [c.width or LEAST for c in there]
    spare = max(0, width - sum(gaps) - sum(cells))
    for i, column in enumerate(there):
        more = min(spare, max(0, column.most - cells[i])) if column.width else 0
        cells[i], spare = cells[i] + more, spare - more
    greedy = [i for i, c in enumerate(there) if not c.width]
    for i in greedy:
        cells[i] += spare // len(greedy)
    return list(zip(there, gaps, cells, strict=True))


def _gaps(columns: Sequence[Column]) -> list[int]:
    """Two cells where a number and a word would meet, else one; none before the first."""
    pairs = pairwise(columns)
    return [0] * bool(columns) + [2 if before.right and not after.right else 1 for before, after in pairs]


def _fitted(text: str, cells: int, right: bool) -> str:
    text = one_line(text[:MOST])
    have = cell_len(text)
    if have > cells:
        return set_cell_size(text, cells - 1) + "…" if cells > 1 else set_cell_size(text, cells)
    return " " * (cells - have) + text if right else text + " " * (cells - have)


def _strip(parts: Sequence[tuple[str, Style]], width: int, base: Style) -> Strip:
    return Strip([Segment(text, style) for text, style in parts]).adjust_cell_length(width, base)
