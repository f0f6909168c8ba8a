"""The form's fields, section below section: made one section at a time, found by a word, gone through by problems."""

from __future__ import annotations

from collections.abc import Sequence

from textual.containers import Vertical
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Static

from dlkit.monitor.form_fields import Section
from dlkit.tui.launch.fields import FieldRow
from dlkit.tui.launch.section import Heading, SectionBox

FILTER_SECONDS = 0.1
"""How long the fields are left alone while somebody types a word: its first letter is in most of them."""


class FieldList(Vertical):
    """All sections of a form. Whatever mounts or removes something in here goes through this widget's own queue of
    messages, one thing after the other: a section is never made twice, nor shown what it does not have yet."""

    DEFAULT_CSS = """
    FieldList { height: 1fr; overflow-y: auto; padding: 0 1; scrollbar-size-vertical: 1; }
    FieldList > #none { color: $text-muted; display: none; }
    """

    def __init__(self) -> None:
        super().__init__(Static(id="none", markup=False))
        self._sections: Sequence[Section] = ()
        self._boxes: dict[str, SectionBox] = {}
        self._word = ""
        self._finding: Timer | None = None
        self.complete = False
        """All sections that are to be shown are there."""

    # What is shown

    def show(self, sections: Sequence[Section]) -> None:
        """Sections with the same fields as before stay, with what is typed and focused in them."""
        self._sections, self.complete = sections, False
        self.call_later(self._show)

    async def _show(self) -> None:
        """Up to the first section that must be made; then the screen is drawn before it goes on."""
        for key in self._boxes.keys() - {section.key for section in self._sections}:
            await self._boxes.pop(key).remove()
        before: Widget = self.query_one("#none")
        for section in self._sections:
            box = self._boxes.get(section.key)
            if box is None or not box.fits(section):
                await self._make(section, before)
                self.call_after_refresh(self._show)
                return
            box.show(section)
            before = box
        self.complete = True

    async def _make(self, section: Section, before: Widget) -> None:
        old = self._boxes.get(section.key)
        new = self._boxes[section.key] = SectionBox(section, opened=old.opened if old else section.main)
        if old is not None:
            await old.remove()
        await self.mount(new, after=before)
        await new.find(self._word)

    async def on_heading_toggled(self, message: Heading.Toggled) -> None:
        message.stop()
        box = message.heading.parent
        assert isinstance(box, SectionBox)
        await box.open(not box.opened)

    def on_resize(self) -> None:
        """What the focused field is may take another line below: the field stays in view."""
        row = self.row()
        if row is not None:
            row.show_whole()

    # Where somebody is

    def row(self) -> FieldRow | None:
        """The field that has the focus."""
        focused = self.screen.focused
        return next((a for a in focused.ancestors if isinstance(a, FieldRow)), None) if focused else None

    def reset(self, key: str) -> None:
        """Show a field's default at once, over what is typed in it."""
        for box in self._boxes.values():
            if key in box.rows:
                box.rows[key].show_default()

    def page(self, by: int) -> None:
        self.scroll_relative(y=by * max(1, self.size.height - 1), animate=False)

    def go_to_problem(self) -> None:
        """To the next field that is refused."""
        self.call_later(self._go_to_problem)

    async def _go_to_problem(self) -> None:
        if not self.complete and self._sections:  # what is refused may not be there yet
            self.call_after_refresh(self._go_to_problem)
            return
        wrong = [field.key for box in self._in_order() for field in box.section.fields if field.problem]
        if not wrong:
            return
        row = self.row()
        here = row.field.key if row else ""
        key = wrong[(wrong.index(here) + 1) % len(wrong)] if here in wrong else wrong[0]
        box = next(box for box in self._in_order() if box.has(key))
        found = await box.reveal(key)
        found.editor.focus()
        found.show_whole()

    def _in_order(self) -> list[SectionBox]:
        return [self._boxes[section.key] for section in self._sections if section.key in self._boxes]

    # The filter

    def find(self, word: str) -> None:
        """Show only the fields that have a word in their names or descriptions; an empty one shows all."""
        self._word = word
        if self._finding is not None:
            self._finding.stop()
        self._finding = self.set_timer(FILTER_SECONDS, self._find)

    async def _find(self) -> None:
        word = self._word
        for box in self._boxes.values():
            await box.find(word)
        none = self.query_one("#none", Static)
        none.display = bool(word) and not any(box.display for box in self._boxes.values())
        none.update(f"no field has “{word}” in its name or description (escape: all fields)")

    def go_to_first(self) -> None:
        """To the first field that is shown."""
        self.call_later(self._go_to_first)

    async def _go_to_first(self) -> None:
        await self._find()
        rows = [row for box in self._in_order() if box.display for row in box.rows.values() if row.display]
        if rows:
            rows[0].editor.focus()
