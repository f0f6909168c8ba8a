"""The form's head: preset and components, each a choice; and the lines at its foot."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Grid
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from dlkit.monitor.choices import Choices
from dlkit.monitor.form import Checked, Part
from dlkit.tui.launch.fields import Editor, Pick


class PartChoice(Widget):
    """One component (or the preset): what it is, and what to take."""

    DEFAULT_CSS = """
    PartChoice { layout: horizontal; height: 1; }
    PartChoice Pick { margin-left: 12; }
    """

    class Chosen(Message):
        """``name`` is empty where the choice is left to the others."""

        def __init__(self, part: str, name: str) -> None:
            self.part, self.name = part, name
            super().__init__()

    def __init__(self, part: Part, *, changed: bool) -> None:
        super().__init__()
        self._part, self._changed = part, changed

    def compose(self) -> ComposeResult:
        yield Pick(self._part.label, self._part.choices, self._part.chosen)

    def render(self) -> Text:
        return Text(f"{'*' if self._changed else ' '} {self._part.label}", "bold" if self._changed else "")

    def show(self, part: Part, *, changed: bool) -> None:
        self._part, self._changed = part, changed
        pick = self.query_one(Pick)
        pick.choices, pick.text = part.choices, part.chosen
        self.refresh()

    def on_editor_edited(self, message: Editor.Edited) -> None:
        message.stop()
        self.post_message(self.Chosen(self._part.name, "" if message.text == self._part.automatic else message.text))

    def reset(self) -> None:
        """Leave it to the others."""
        self.post_message(self.Chosen(self._part.name, ""))

    def about(self) -> Sequence[str]:
        part = self._part
        chosen = f"{part.label} {part.chosen or 'none'}{f' from {part.origin}' if part.origin else ''}"
        default = f"; default {part.automatic}" if self._changed and part.automatic else ""
        count = len(part.choices)
        how = f"Enter: all {count}; left, right: next" if count > 1 else "There is no other"
        return part.summary or part.label, f"{chosen}{default}. {how}"


class PartChoices(Grid):
    """All of them, in two columns or three."""

    DEFAULT_CSS = """
    PartChoices { height: auto; padding: 0 1; margin-top: 1; grid-size: 2; grid-rows: 1; grid-gutter: 0 2; }
    """

    async def show(self, checked: Checked) -> None:
        wanted = [_preset(checked), *checked.parts] if checked.parts else []
        names = checked.form.names
        changed = [part.name in names or (part.name == "preset" and bool(part.chosen)) for part in wanted]
        there = list(self.query(PartChoice))
        if len(there) != len(wanted):
            await self.remove_children()
            await self.mount(*(PartChoice(part, changed=c) for part, c in zip(wanted, changed, strict=True)))
            return
        for choice, part, is_changed in zip(there, wanted, changed, strict=True):
            choice.show(part, changed=is_changed)


def _preset(checked: Checked) -> Part:
    choices: Choices = checked.presets
    summary = dict(choices).get(checked.form.preset, "") if checked.form.preset else "Settings that a plugin brings"
    return Part("preset", checked.form.preset, "", "", summary, choices)


class FittedText(Static):
    """A text as high as it must be, between ``least`` and ``most`` lines. The screen is laid out (30 ms) only when
    that height changes, not whenever the text does."""

    def __init__(self, least: int, most: int, id: str) -> None:
        super().__init__(id=id, markup=False)
        self.text, self._least, self._most = "", least, most
        self.styles.height = least

    def say(self, text: str) -> None:
        self.text = text
        self._wrap()

    def on_resize(self) -> None:
        self._wrap()

    def _wrap(self) -> None:
        wrapped = Text(self.text).wrap(self.app.console, max(2, self.content_size.width - 1))
        if len(wrapped) > self._most:
            wrapped[self._most - 1].append("…")
        height = min(self._most, max(self._least, len(wrapped)))
        if self.styles.height is None or self.styles.height.value != height:
            self.styles.height = height
        self.update(Text("\n").join(wrapped), layout=False)
