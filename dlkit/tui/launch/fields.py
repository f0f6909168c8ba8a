"""What a form's field is typed into: a switch, a choice, a line of text; each one line high."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from textwrap import wrap
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Click
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Input

from dlkit.monitor.choices import Choices
from dlkit.monitor.form_fields import SUBMIT, Field
from dlkit.tui.shared.choose import ChooseDialog, label_of


class Editor(Widget, can_focus=True):
    """A value that is changed by a key or a click; ``text`` is that value."""

    DEFAULT_CSS = """
    Editor { height: 1; width: 1fr; background: $surface; pointer: pointer; }
    Editor:hover { background: $boost; }
    Editor:focus { text-style: reverse; }
    """
    text: reactive[str] = reactive("")

    class Edited(Message):
        """Somebody has changed it."""

        def __init__(self, editor: Editor, text: str) -> None:
            self.editor, self.text = editor, text
            super().__init__()

        @property
        def control(self) -> Editor:
            return self.editor

    def __init__(self, text: str = "", id: str | None = None) -> None:
        super().__init__(id=id)
        self.set_reactive(Editor.text, text)

    def edit(self, text: str) -> None:
        self.text = text
        self.post_message(self.Edited(self, text))

    def on_click(self) -> None:
        self.action_change()

    def action_change(self) -> None:
        raise NotImplementedError


class Toggle(Editor):
    """On or off."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "change", "Switch", show=False, id="field.switch"),
    ]

    def render(self) -> Text:
        return Text("[x] on" if self.text == "true" else "[ ] off")

    def action_change(self) -> None:
        self.edit("false" if self.text == "true" else "true")


class Pick(Editor):
    """One of several: Enter opens the list, left and right take the neighbour."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "change", "Choose", show=False, id="field.choose"),
        Binding("left", "step(-1)", "Previous choice", show=False, id="field.previous"),
        Binding("right", "step(1)", "Next choice", show=False, id="field.next"),
    ]
    choices: reactive[Choices] = reactive(())

    def __init__(self, title: str, choices: Choices = (), text: str = "", id: str | None = None) -> None:
        super().__init__(text, id=id)
        self.title = title
        self.set_reactive(Pick.choices, choices)

    def render(self) -> Text:
        width = max(1, self.size.width - 2)
        name, what = label_of(dict(self.choices).get(self.text, self.text))
        dim = "" if self.has_focus else "dim"  # turned round with the rest, it would be a patch of grey
        shown = Text(name, no_wrap=True).append(f"  {what}" if what else "", dim)
        shown.truncate(width, overflow="ellipsis", pad=True)
        return shown.append(" ▾")

    def action_change(self) -> None:
        def take(answer: str | None) -> None:
            if answer is not None and answer != self.text:
                self.edit(answer)

        self.app.push_screen(ChooseDialog(self.title, self.choices, self.text), take)

    def action_step(self, by: int) -> None:
        texts = [text for text, _ in self.choices]
        at = texts.index(self.text) + by if self.text in texts else 0
        if 0 <= at < len(texts):
            self.edit(texts[at])


class FieldRow(Widget):
    """A field: name, widget, what its default is; below it why it is refused.

    All but the widget is drawn by the row itself: a form has up to a hundred fields, and a widget costs milliseconds.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"field--problem"}
    DEFAULT_CSS = """
    FieldRow { layout: horizontal; height: 1; }
    FieldRow .field--problem { color: $text-error; text-style: bold; }
    FieldRow Editor, FieldRow Input { margin-left: 22; width: 28; }
    """
    NAME_WIDTH = 22

    class Edited(Message):
        def __init__(self, key: str, text: str) -> None:
            self.key, self.text = key, text
            super().__init__()

    class Reset(Message):
        """The note was clicked: back to the default."""

        def __init__(self, key: str) -> None:
            self.key = key
            super().__init__()

    def __init__(self, field: Field) -> None:
        super().__init__()
        self.field = field

    def compose(self) -> ComposeResult:
        field = self.field
        if field.kind == "switch":
            yield Toggle(field.text)
        elif field.kind == "choice":
            yield Pick(field.label, field.choices, field.text)
        else:
            yield Input(field.text, placeholder=_placeholder(field), compact=True)

    def on_resize(self) -> None:
        self._fit()

    @property
    def editor(self) -> Editor | Input:
        editor = self.children[0]
        assert isinstance(editor, Editor | Input)
        return editor

    def show(self, field: Field, *, over_typing: bool = False) -> None:
        """Show it again; what somebody is typing stays, unless ``over_typing``."""
        self.field = field
        editor = self.editor
        if isinstance(editor, Editor):
            editor.text = field.text
        else:
            editor.placeholder = _placeholder(field)
            if editor.value != field.text and (over_typing or not editor.has_focus):
                with self.prevent(Input.Changed):
                    editor.value = field.text
        self._fit()
        self.refresh()

    def show_default(self) -> None:
        """Show its default at once, over what is typed; whether that is refused is not known yet."""
        self.show(replace(self.field, text=self.field.default, changed=False, problem=""), over_typing=True)
        if isinstance(self.editor, Input):
            self.editor.cursor_position = len(self.field.text)

    def _fit(self) -> None:
        """As high as the problem wants, which somebody who is here is to see."""
        height = 1 + len(self._problem_lines())
        if self.styles.height is None or self.styles.height.value != height:
            self.styles.height = height
            if self.editor.has_focus:
                self.show_whole()

    def on_descendant_focus(self) -> None:
        if self.field.problem:
            self.show_whole()

    def show_whole(self) -> None:
        """Scroll to where all its lines can be seen, once they are laid out."""
        self.call_after_refresh(self.scroll_visible, animate=False)

    def _problem_lines(self) -> list[str]:
        width = max(20, self.size.width - 4)
        return wrap(f"! {self.field.problem}", width, break_on_hyphens=False) if self.field.problem else []

    def render(self) -> Text:
        field, editor_width = self.field, self.editor.size.width
        name = Text().append(f"{'*' if field.changed else ' '} {field.label}", "bold" if field.changed else "")
        name.truncate(self.NAME_WIDTH - 1, overflow="ellipsis")
        name.pad_right(self.NAME_WIDTH + editor_width + 2 - name.cell_len)
        room = max(0, self.size.width - name.cell_len)
        note = Text().append(note_of(field, with_description=room > 50), "dim")
        note.truncate(room, overflow="ellipsis")
        lines = [name.append_text(note)]
        wrong = self.get_component_rich_style("field--problem", partial=True)
        lines += [Text(f"    {line}", wrong) for line in self._problem_lines()]
        return Text("\n", no_wrap=True, end="").join(lines)

    def on_editor_edited(self, message: Editor.Edited) -> None:
        message.stop()
        self.post_message(self.Edited(self.field.key, message.text))

    def on_input_changed(self, message: Input.Changed) -> None:
        message.stop()
        if message.value != self.field.text:
            self.post_message(self.Edited(self.field.key, message.value))

    def on_click(self, event: Click) -> None:
        beside = event.widget is self and event.y == 0 and event.x > self.NAME_WIDTH
        if beside and self.field.changed:
            self.post_message(self.Reset(self.field.key))
        elif event.widget is self:
            self.editor.focus()


def _placeholder(field: Field) -> str:
    """What an empty field means."""
    if field.required and not field.default:
        return "needed"
    return field.default if field.kind != "text" else ""


def note_of(field: Field, *, with_description: bool) -> str:
    """The default of what was changed, else who set it; with room, what it is."""
    origin = f" ({_source(field)})" if field.origin else ""
    if not with_description:
        return f"default {field.default or 'none'} (reset)" if field.changed else origin.strip(" ()")
    if field.changed:
        return f"default {field.default or 'none'} (reset). {field.description}"
    return f"{field.description}{origin}"


def _source(field: Field) -> str:
    """Who set the default."""
    return field.origin if field.origin.endswith("given") else f"from {field.origin}"


def about(field: Field) -> Sequence[str]:
    """What a field is, in two lines."""
    default = "needed" if field.required and not field.default else f"default {field.default or 'none'}"
    source = f" {_source(field)}" if field.origin and field.default else ""
    several = ", or a list: a run of each" if field.kind in ("number", "whole number") else ""
    several = "" if field.key.startswith(SUBMIT) else several
    allowed = f"{field.allowed}{several}; " if field.allowed else ""
    return field.description, f"{field.key.removeprefix(f'{SUBMIT}.')}: {allowed}{default}{source}"
