"""The table: rows in view only, a cursor that stays on its row, columns that fit."""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar

from hypothesis import given
from hypothesis import strategies as st
from textual.app import App, ComposeResult
from textual.strip import Strip

from dlkit.tui.shared.table import Column, Row, Table, fit

COLUMNS = (Column("a", "alpha", 8), Column("b", "beta", 6, right=True, rank=2), Column("c", "rest", 0, rank=1))


class Host(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.chosen: list[str] = []
        self.moved: list[str] = []
        self.headers: list[str] = []

    def compose(self) -> ComposeResult:
        yield Table(COLUMNS, empty="nothing here")

    def on_table_chosen(self, message: Table.Chosen) -> None:
        self.chosen.append(message.key)

    def on_table_moved(self, message: Table.Moved) -> None:
        self.moved.append(message.key)

    def on_table_header_clicked(self, message: Table.HeaderClicked) -> None:
        self.headers.append(message.key)


def rows(*keys: object) -> list[Row]:
    return [Row(str(key), {"a": f"row {key}", "b": "12", "c": ("界" * 30, "red")}) for key in keys]


async def test_an_optional_column_is_there_when_a_row_has_something_in_it() -> None:
    app = Host()
    async with app.run_test(size=(40, 10)) as pilot:
        table = app.query_one(Table)
        table.columns = (Column("a", "alpha", 8), Column("n", "name", 8, optional=True))
        for named, there in ((False, False), (True, True), (False, False)):
            table.show([Row("1", {"a": "x", "n": "y" if named else ""})])
            await pilot.pause()
            assert ("name" in table.render_line(0).text) is there


async def test_what_an_empty_one_says_is_said_whole() -> None:
    async with Host().run_test(size=(20, 6)) as pilot:
        table = pilot.app.query_one(Table)
        table.empty = "no studies yet: one command compares"
        table.refresh()
        await pilot.pause()
        lines = [strip.text.strip() for strip in table.render_lines(table.size.region)]
        assert lines[2:4] == ["no studies yet:", "one command"] and lines[4] == "compares"


async def test_keys_mouse_and_messages() -> None:
    app = Host()
    async with app.run_test(size=(40, 10)) as pilot:
        table = app.query_one(Table)
        table.focus()
        table.show(rows(*range(100)))
        await pilot.press("j", "j", "k", "enter")
        assert app.chosen == ["1"] and app.moved == ["0", "1", "2", "1"]
        await pilot.press("pagedown")
        assert table.key == "9"
        await pilot.press("G")
        assert table.key == "99" and table.scroll_offset.y > 80
        await pilot.press("home")
        assert table.key == "0" and table.scroll_offset.y == 0
        await pilot.click(Table, offset=(5, 3))
        assert table.key == "2"
        await pilot.double_click(Table, offset=(5, 4))
        assert app.chosen[-1] == "3"
        await pilot.click(Table, offset=(3, 0))
        assert app.headers == ["a"]


async def test_a_key_has_two_lines_drawn() -> None:
    """All of them are ten times the bytes over ssh, and took 30 ms."""

    class Counted(Table):
        drawn: ClassVar[list[int]] = []

        def render_line(self, y: int) -> Strip:
            self.drawn.append(y)
            return super().render_line(y)

    class CountedHost(Host):
        def compose(self) -> ComposeResult:
            yield Counted(COLUMNS)

    app = CountedHost()
    async with app.run_test(size=(40, 30)) as pilot:
        table = app.query_one(Counted)
        table.focus()
        table.show(rows(*range(100)))
        await pilot.press("j")
        await pilot.pause()
        Counted.drawn.clear()
        await pilot.press("j")
        await pilot.pause()
        assert sorted(set(Counted.drawn)) == [2, 3]


async def test_the_cursor_stays_on_its_row_whatever_comes_and_goes() -> None:
    app = Host()
    async with app.run_test(size=(40, 10)) as pilot:
        table = app.query_one(Table)
        table.show(rows(*"abcdef"))
        table.go_to("d")
        table.marked = {"a", "d"}
        await pilot.pause()
        table.show(rows(*"xyzabcdef"))
        assert table.key == "d" and table.cursor == 6
        table.show(rows(*"abc"))
        assert table.key == "c" and table.marked == {"a"}
        await pilot.pause()
        assert app.moved[-1] == "c"
        table.show([])
        assert table.key == ""
        await pilot.press("j", "k", "enter", "G", "g")
        assert app.chosen == []


async def test_a_scrollbar_that_comes_hides_no_text() -> None:
    app = Host()
    async with app.run_test(size=(40, 10)) as pilot:
        table = app.query_one(Table)
        table.show(rows(1))
        await pilot.pause()
        table.render_line(1)
        table.show(rows(*range(100)))
        await pilot.pause()
        seen = table.scrollable_content_region.width
        assert seen < table.size.width, "there is a scrollbar now"
        assert table.render_line(1).text[:seen].rstrip().endswith("…"), "what is cut off says so"


async def test_the_row_with_the_cursor_has_one_colour() -> None:
    """Amber on light blue cannot be read."""
    app = Host()
    async with app.run_test(size=(40, 10)) as pilot:
        table = app.query_one(Table)
        table.show(rows(1, 2))
        table.focus()
        await pilot.pause()
        here, other = (
            {s.style.color for s in table.render_line(y) if s.style and s.text.strip() not in ("", ">")} for y in (1, 2)
        )
        assert len(here) == 1 and len(other) == 2


async def test_every_line_is_as_wide_as_the_window() -> None:
    app = Host()
    async with app.run_test(size=(40, 10)) as pilot:
        table = app.query_one(Table)
        table.show(rows(*range(3)))
        for width in (12, 20, 40, 77):
            await pilot.resize_terminal(width, 10)
            await pilot.pause()
            assert {table.render_line(y).cell_length for y in range(10)} == {table.size.width}


@given(
    st.lists(
        st.builds(
            Column,
            st.text("ab"),
            st.just("t"),
            st.integers(0, 30),
            st.booleans(),
            rank=st.integers(0, 5),
            most=st.integers(0, 40),
        ),
        min_size=1,
        max_size=8,
    ),
    st.integers(1, 120),
)
def test_columns_that_do_not_fit_leave_by_rank(columns: list[Column], width: int) -> None:
    found = fit(columns, width)
    there = [column for column, _, _ in found]
    assert there, "one always stays"
    assert [c for c in columns if any(c is t for t in there)] == there, "in their order"
    gone = [c for c in columns if not any(c is t for t in there)]
    assert all(g.rank >= t.rank for g in gone for t in there)
    if len(there) > 1:
        assert sum(gap + cells for _, gap, cells in found) <= width
    assert all(cells >= (column.width or 8) for column, _, cells in found)
    assert all(cells <= max(column.width, column.most) for column, _, cells in found if column.width)
    for (before, _, _), (after, gap, _) in pairwise(found):
        assert gap == (2 if before.right and not after.right else 1), "a number never touches a word"
