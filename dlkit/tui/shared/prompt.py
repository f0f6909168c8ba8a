"""A line to type in that knows the keys of readline, and takes back what was done to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.events import Paste
from textual.widgets import Input

KEPT = 200
"""Changes that can be taken back."""


class Prompt(Input):
    """Textual's Input has readline's ctrl+a, e, d, h, k, u and w; this adds the others that people's fingers know, what
    was cut out to be put back, and undo. Pasted lines become one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+b", "cursor_left", "Left", show=False, id="prompt.left"),
        Binding("ctrl+f", "cursor_right", "Right", show=False, id="prompt.right"),
        Binding("alt+b", "cursor_left_word", "Word left", show=False, id="prompt.word-left"),
        Binding("alt+f", "cursor_right_word", "Word right", show=False, id="prompt.word-right"),
        Binding("alt+d", "delete_right_word", "Cut the word", show=False, id="prompt.cut-word"),
        Binding("ctrl+t", "transpose", "Swap letters", show=False, id="prompt.transpose"),
        Binding("ctrl+y", "yank", "Put back what was cut", show=False, id="prompt.yank"),
        Binding("ctrl+z,ctrl+underscore", "undo", "Undo", show=False, id="prompt.undo"),
        Binding("ctrl+shift+z,alt+z", "redo", "Redo", show=False, id="prompt.redo"),
    ]
    killed = ""
    """What was cut out last, of any prompt."""

    def __init__(
        self, value: str = "", *, placeholder: str = "", id: str | None = None, tooltip: str | None = None
    ) -> None:
        self._before: list[tuple[str, int]] = []
        self._after: list[tuple[str, int]] = []
        self._moving = False
        super().__init__(value, placeholder=placeholder, compact=True, id=id, tooltip=tooltip)

    def begin(self, text: str) -> None:
        """Another text, the cursor behind it."""
        self.value = text
        self.cursor_position = len(text)

    # Undo

    def watch_value(self, old: str, new: str) -> None:
        """Remember what it was. Letters typed one after the other are one change, up to the end of a word."""
        if self._moving or old == new:
            return
        grown = len(new) == len(old) + 1 and new.startswith(old) and not new[-1].isspace()
        if not (grown and self._before and old.startswith(self._before[-1][0]) and self._typing):
            self._before = [*self._before, (old, min(self.cursor_position, len(old)))][-KEPT:]
        self._typing, self._after = grown, []

    _typing = False

    def action_undo(self) -> None:
        self._move(self._before, self._after)

    def action_redo(self) -> None:
        self._move(self._after, self._before)

    def _move(self, source: list[tuple[str, int]], target: list[tuple[str, int]]) -> None:
        if not source:
            return
        target.append((self.value, self.cursor_position))
        text, cursor = source.pop()
        self._moving, self._typing = True, False
        self.value = text
        self._moving = False
        self.cursor_position = cursor

    # Cutting

    def action_delete_left_word(self) -> None:
        self._kill(super().action_delete_left_word)

    def action_delete_right_word(self) -> None:
        self._kill(super().action_delete_right_word)

    def action_delete_left_all(self) -> None:
        self._kill(super().action_delete_left_all)

    def action_delete_right_all(self) -> None:
        self._kill(super().action_delete_right_all)

    def _kill(self, delete: Callable[[], None]) -> None:
        before = self.value
        delete()
        start, count = self.cursor_position, len(before) - len(self.value)
        Prompt.killed = before[start : start + count] or Prompt.killed

    def action_yank(self) -> None:
        self.insert_text_at_cursor(Prompt.killed)

    def action_transpose(self) -> None:
        at = min(self.cursor_position, len(self.value) - 1)
        if at > 0:
            text = self.value
            self.value = text[: at - 1] + text[at] + text[at - 1] + text[at + 1 :]
            self.cursor_position = at + 1

    def _on_paste(self, event: Paste) -> None:
        event.stop()
        event.prevent_default()  # of Input's own, which takes the first line alone
        self.replace(" ".join(event.text.splitlines()), *self.selection)
