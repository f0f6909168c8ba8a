"""Which sample is shown: a line with the steps, and the names of those made at one."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.events import Click, MouseDown, MouseMove, MouseUp
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from dlkit.present.text import clean


def thousands(count: int) -> str:
    return f"{count:,}".replace(",", " ")


class Scrubber(Widget):
    """``step 1 200 · 3 of 8 ├──●─────┤``: a click or a drag on the line goes there."""

    DEFAULT_CSS = "Scrubber { height: 1; width: 1fr; margin: 0 1; }"

    class Moved(Message):
        """To the step at this place, counted from 0."""

        def __init__(self, place: int) -> None:
            self.place = place
            super().__init__()

    def __init__(self) -> None:
        super().__init__()
        self.steps: Sequence[int] = ()
        self.place = 0
        self.following = True
        self.playing = ""
        """How fast, while the steps are played."""
        self._held = False

    def show(self, steps: Sequence[int], place: int, *, following: bool, playing: str = "") -> None:
        """``following``: the newest is shown, and whatever is newer when it comes."""
        now = steps, place, following, playing
        if now != (self.steps, self.place, self.following, self.playing):
            self.steps, self.place, self.following, self.playing = now
            self.refresh()

    def render(self) -> Text:
        if not self.steps:
            return Text("")
        line = ["─"] * self._length
        line[self._at(self.place)] = "●"
        text = Text(self._label, no_wrap=True)
        return text.append(f"├{''.join(line)}┤").append(
            f" {self.playing or ('newest' if self.following else ''):6}", "italic"
        )

    @property
    def _label(self) -> str:
        widest = len(thousands(self.steps[-1])), len(str(len(self.steps)))
        step, place = thousands(self.steps[self.place]), self.place + 1
        return f"step {step:>{widest[0]}} · {place:>{widest[1]}} of {len(self.steps)} "

    @property
    def _length(self) -> int:
        return max(1, self.size.width - len(self._label) - 9)

    def _at(self, place: int) -> int:
        return round(place * (self._length - 1) / max(1, len(self.steps) - 1)) if len(self.steps) > 1 else 0

    def on_mouse_down(self, event: MouseDown) -> None:
        self._held = True
        self.capture_mouse()
        self._go(event.x)

    def on_mouse_move(self, event: MouseMove) -> None:
        if self._held:
            self._go(event.x)

    def on_mouse_up(self, event: MouseUp) -> None:
        self._held = False
        self.release_mouse()

    def _go(self, x: int) -> None:
        if self.steps:
            share = (x - len(self._label) - 1) / max(1, self._length - 1)
            place = max(0, min(len(self.steps) - 1, round(share * (len(self.steps) - 1))))
            if place != self.place:
                self.post_message(self.Moved(place))


class Name(Static):
    """One of the samples made at a step; a click chooses it."""

    class Chosen(Message):
        """This one."""

        def __init__(self, name: str) -> None:
            self.name = name
            super().__init__()

    def __init__(self, name: str, *, chosen: bool) -> None:
        shown = clean(name)
        super().__init__(f"[{shown}]" if chosen else f" {shown} ", classes="chosen" if chosen else "", markup=False)
        self._sample = name

    def on_click(self, event: Click) -> None:
        event.stop()
        self.post_message(self.Chosen(self._sample))
