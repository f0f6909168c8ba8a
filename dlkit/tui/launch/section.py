"""A heading with fields under it, which can be closed; the fields of a closed one are not even made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static

from dlkit.monitor.form_fields import Section
from dlkit.tui.launch.fields import FieldRow


class Heading(Static, can_focus=True):
    """Enter, space or a click opens and closes what is below."""

    DEFAULT_CSS = """
    Heading { height: 1; width: 1fr; text-wrap: nowrap; text-overflow: ellipsis; pointer: pointer; }
    Heading:focus { text-style: reverse; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "fold", "Open or close", show=False, id="section.toggle"),
    ]

    def __init__(self, summary: str) -> None:
        super().__init__(markup=False)
        self._summary = summary

    class Toggled(Message):
        def __init__(self, heading: Heading) -> None:
            self.heading = heading
            super().__init__()

    def action_fold(self) -> None:
        self.post_message(self.Toggled(self))

    def on_click(self) -> None:
        self.action_fold()

    def about(self) -> Sequence[str]:
        return *([self._summary] if self._summary else []), "Enter opens and closes this section."


class SectionBox(Vertical):
    """A section of the form. ``open``, ``find`` and ``reveal`` mount its fields: one at a time, from one task."""

    DEFAULT_CSS = """
    SectionBox { height: auto; margin-bottom: 1; }
    SectionBox > Vertical { height: auto; }
    """

    def __init__(self, section: Section, *, opened: bool) -> None:
        super().__init__()
        self.section, self.opened = section, opened
        self._opened_before_filter = opened
        self._word = ""

    def compose(self) -> ComposeResult:
        yield Heading(self.section.summary)
        with Vertical():
            yield from self._rows() if self.opened else ()

    def _rows(self) -> list[FieldRow]:
        return [FieldRow(field) for field in self.section.fields]

    def on_mount(self) -> None:
        self._title()

    @property
    def rows(self) -> dict[str, FieldRow]:
        """The fields that have been made, by key."""
        return {row.field.key: row for row in self.query(FieldRow)}

    def has(self, key: str) -> bool:
        return any(field.key == key for field in self.section.fields)

    def fits(self, section: Section) -> bool:
        """Whether a section has the same fields, maybe with other values."""

        def shape(of: Section) -> object:
            return of.title, [(field.key, field.kind, field.choices) for field in of.fields]

        return shape(section) == shape(self.section)

    def show(self, section: Section) -> None:
        if section is self.section:
            return
        self.section = section
        rows = self.rows
        for field in section.fields:
            if field.key in rows and rows[field.key].field != field:
                rows[field.key].show(field)
        self._title()

    async def open(self, opened: bool = True) -> None:
        """Show the fields, or the heading alone."""
        self.opened = self._opened_before_filter = opened
        await self._arrange()

    async def find(self, word: str) -> None:
        """Show only the fields that a filter finds; none found, nothing of the section. With the filter's end it is
        closed again, if it was and the focus is not in it."""
        if word and not self._word:
            self._opened_before_filter = self.opened
        if word:
            self.opened = True
        elif self._word:
            self.opened = self._opened_before_filter or self.has_focus_within
        self._word = word
        await self._arrange()

    async def reveal(self, key: str) -> FieldRow:
        """A field's row, which can be seen from now on, filter or not."""
        await self.open()
        row = self.rows[key]
        row.display = self.display = True
        return row

    async def _arrange(self) -> None:
        found = {field.key for field in self.section.fields if not self._word or field.matches(self._word)}
        inside = self.query_one(Vertical)
        if self.opened and found and not self.rows:
            await inside.mount(*self._rows())
        for key, row in self.rows.items():
            row.display = key in found
        inside.display, self.display = self.opened, bool(found)
        self._title()

    def _title(self) -> None:
        section, text = self.section, Text(no_wrap=True)
        text.append(f"{'▾' if self.opened else '▸'} {section.title}", "bold")
        changed = sum(field.changed for field in section.fields)
        wrong = sum(bool(field.problem) for field in section.fields)
        count = len(section.fields)
        closed = [f"{count} option{'s' * (count != 1)}"] + [f"{changed} changed"] * bool(changed)
        words = [*([] if self.opened else closed), *([f"{wrong} refused"] if wrong else [])]
        text.append(f"  {', '.join(words)}" if words else "", "bold" if wrong else "")
        text.append(f"  {section.summary}" if section.summary else "", "dim")
        self.query_one(Heading).update(text, layout=False)
