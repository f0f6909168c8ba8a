"""A heading with fields under it, which can be closed; the fields of a closed one are not even made."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static

from dlkit.monitor.form_fields import Section
from dlkit.tui.fields import FieldRow


class Heading(Static, can_focus=True):
    """Enter, space or a click opens and closes what is below."""

    DEFAULT_CSS = """
    Heading { height: 1; width: 1fr; text-wrap: nowrap; text-overflow: ellipsis; pointer: pointer; }
    Heading:focus { text-style: reverse; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "fold", "Open or close", show=False, id="section.toggle"),
    ]

    class Toggled(Message):
        pass

    def action_fold(self) -> None:
        self.post_message(self.Toggled())

    def on_click(self) -> None:
        self.action_fold()


class SectionBox(Vertical):
    """A section of the form."""

    DEFAULT_CSS = """
    SectionBox { height: auto; margin-bottom: 1; }
    SectionBox > Vertical { height: auto; }
    """

    def __init__(self, section: Section, *, opened: bool) -> None:
        super().__init__()
        self.section, self.opened = section, opened
        self._word = ""

    def compose(self) -> ComposeResult:
        yield Heading(markup=False)
        with Vertical():
            yield from self._rows() if self.opened else ()

    def _rows(self) -> list[FieldRow]:
        return [FieldRow(field) for field in self.section.fields]

    def on_mount(self) -> None:
        self._title()
        self.set_word(self._word)

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
        self.opened = opened
        inside = self.query_one(Vertical)
        if opened and not self.rows:
            await inside.mount(*self._rows())
        inside.display = opened
        self._title()

    def set_word(self, word: str) -> None:
        """Show only the fields that a filter finds; none found, nothing of the section."""
        self._word = word
        found = {field.key for field in self.section.fields if not word or field.matches(word)}
        for key, row in self.rows.items():
            row.display = key in found
        self.display = bool(found)

    async def on_heading_toggled(self, message: Heading.Toggled) -> None:
        message.stop()
        await self.open(not self.opened)

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
        self.query_one(Heading).update(text)
