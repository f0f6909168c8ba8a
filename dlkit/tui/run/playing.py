"""Going through the steps by itself: a clock that waits for whoever shows them."""

from __future__ import annotations

from collections.abc import Callable

from textual.timer import Timer
from textual.widget import Widget

from dlkit.tui.shared import settings

SPEEDS = (1, 2, 4, 8, 16)
"""Steps a second."""


class Player:
    """``advance`` goes to the next step and says whether there was one; it may also wait. The clock runs only while
    something is played."""

    def __init__(self, owner: Widget, advance: Callable[[], bool]) -> None:
        self._owner, self._advance = owner, advance
        fast = settings.kept("playing-speed", SPEEDS[len(SPEEDS) // 2])
        self._speed = min(range(len(SPEEDS)), key=lambda place: abs(SPEEDS[place] - fast))
        self._timer: Timer | None = None

    @property
    def playing(self) -> bool:
        return self._timer is not None

    @property
    def told(self) -> str:
        """How fast, in words; empty while it stands."""
        return f"▶ {SPEEDS[self._speed]}/s" if self.playing else ""

    def play(self) -> None:
        self.stop()
        self._timer = self._owner.set_interval(1 / SPEEDS[self._speed], self._tick)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None

    def faster(self, by: int) -> None:
        """By so many of ``SPEEDS``; it is remembered."""
        self._speed = max(0, min(len(SPEEDS) - 1, self._speed + by))
        settings.keep("playing-speed", SPEEDS[self._speed])
        if self.playing:
            self.play()

    def _tick(self) -> None:
        if not self._advance():
            self.stop()
