"""What was asked before: beside the answers where there is room, in a window anywhere, and question by question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rich.text import Text
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from dlkit.monitor.model_process import Answered
from dlkit.steering import one_line
from dlkit.tui.shared.choose import ChooseDialog

WIDTH = 30
"""Of the list, in cells."""
QUESTIONS, ANSWERS = 200, 50
"""How many are kept; of answers, which may be pictures, the newest."""


@dataclass
class Asked:
    """A question, with the options that differed from what holds otherwise; ``where``: of which checkpoint."""

    text: str
    options: Mapping[str, str]
    where: str
    answered: Answered | None = None

    @property
    def line(self) -> str:
        options = ", ".join(f"{name} {value}" for name, value in self.options.items())
        return one_line(f"{self.text}  {self.where}{f', {options}' if options else ''}")


class Past(OptionList):
    """Newest first; one is chosen with Enter. Arrow keys of the line above go through it without looking at it."""

    DEFAULT_CSS = """
    Past { width: 30; height: 1fr; display: none; border: none; padding: 0 1; background: $surface; }
    Past:focus { border: none; }
    """

    class Chosen(Message):
        def __init__(self, asked: Asked) -> None:
            self.asked = asked
            super().__init__()

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Asked] = []
        """Oldest first."""
        self._place = 0

    def ask(self, asked: Asked) -> None:
        """One more; the same as the last one takes its place."""
        last = self.asked[-1] if self.asked else None
        if last is not None and (last.text, last.options, last.where) == (asked.text, asked.options, asked.where):
            self.asked.pop()
        self.asked = [*self.asked, asked][-QUESTIONS:]
        self._place = len(self.asked)
        self.add_class("some")
        self.clear_options()
        self.add_options([Option(_entry(one)) for one in reversed(self.asked)])

    def answered(self, answered: Answered) -> None:
        """What the last one came to."""
        if self.asked:
            self.asked[-1].answered = answered
            for old in self.asked[:-ANSWERS]:
                old.answered = None

    def step(self, by: int) -> Asked | None:
        """The one before, or after, what was stepped to last; None where there is none."""
        place = self._place + by
        if not 0 <= place < len(self.asked):
            return None
        self._place = place
        return self.asked[place]

    def open(self) -> None:
        """The list in a window."""
        choices = tuple((str(i), one.line) for i, one in reversed(list(enumerate(self.asked))))
        if not choices:
            self.notify("nothing has been asked yet")
            return

        def take(which: str | None) -> None:
            if which is not None:
                self._choose(int(which))

        self.app.push_screen(ChooseDialog("Asked before", choices, ""), take)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self._choose(len(self.asked) - 1 - event.option_index)

    def _choose(self, place: int) -> None:
        self._place = place
        self.post_message(self.Chosen(self.asked[place]))


def _entry(asked: Asked) -> Text:
    name = asked.text.rpartition("/")[2] if asked.text.startswith("/") else asked.text
    text = Text(one_line(name))
    text.truncate(WIDTH - 4, overflow="ellipsis")
    options = "".join(f", {name} {value}" for name, value in asked.options.items())
    where = Text(f"  {one_line(asked.where + options)}", "dim")
    where.truncate(WIDTH - 4, overflow="ellipsis")
    return Text("\n").join([text, where])
