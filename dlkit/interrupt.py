"""Ctrl-C and SIGTERM that are never missed: noted where a process waits, raised again where Python drops them.

An exception that a signal raises comes at any instant. In a finaliser, or in the callback of a weak reference (every
import has one), Python prints and forgets it; in the middle of a record it leaves half of it.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from _thread import get_ident
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

AGAIN_SECONDS = 0.01
"""After which an interrupt that was dropped is raised again: the finaliser should be over, a person notices nothing."""


class Interrupts:
    """While entered (in the main thread; elsewhere it hears nothing), ``numbers`` are noted, and end every ``wait``.

    ``wakes`` end it too, without being noted: SIGCHLD, say. With ``insistent``, any after the first raises
    KeyboardInterrupt: whoever should look has not.
    """

    def __init__(
        self, *numbers: signal.Signals, wakes: tuple[signal.Signals, ...] = (), insistent: bool = False
    ) -> None:
        self._numbers, self._wakes, self._insistent = numbers, wakes, insistent
        self._noted: list[signal.Signals] = []
        self._count = 0
        self._before: dict[signal.Signals, Any] = {}
        self._pipe: tuple[int, int] | None = None

    def __enter__(self) -> Interrupts:
        import threading  # not above: every command loads this module, and few come to wait

        if threading.current_thread() is not threading.main_thread():  # Python lets no other thread set handlers
            return self
        self._pipe = reader, writer = os.pipe()
        os.set_blocking(reader, False)
        os.set_blocking(writer, False)
        # The interpreter writes into the pipe in the very instant of the signal: one that comes between a look and the
        # wait for the next ends that wait. A handler in Python alone would run when the wait is over.
        self._wakeup = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        for number in (*self._numbers, *self._wakes):
            self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        if self._pipe is None:
            return
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup)
        for end in self._pipe:
            os.close(end)
        self._pipe = None

    def wait(self, seconds: float) -> None:
        """Until a signal comes, at most so long; not at all if one was noted that nobody has taken."""
        if self._noted:
            return
        if self._pipe is None:
            time.sleep(seconds)
            return
        import select

        if select.select([self._pipe[0]], [], [], seconds)[0]:
            os.read(self._pipe[0], 1024)

    def take(self) -> list[signal.Signals]:
        """What was noted since the last call."""
        noted, self._noted = self._noted, []
        return noted

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if number in self._wakes:
            return
        self._count += 1
        self._noted.append(signal.Signals(number))
        if self._insistent and self._count > 1:
            raise KeyboardInterrupt


@contextmanager
def dropped_ones_raised_again() -> Iterator[None]:
    """While entered, in the main thread, have a KeyboardInterrupt that Python drops be raised again a moment later."""
    before = sys.unraisablehook
    alarm = signal.getsignal(signal.SIGALRM)
    sys.unraisablehook = _Again(before)
    try:
        yield
    finally:
        sys.unraisablehook = before
        if signal.getsignal(signal.SIGALRM) != alarm:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, alarm)


class _Again:
    """``sys.unraisablehook``: an interrupt comes again by SIGALRM, anything else is left to the hook ``before``."""

    def __init__(self, before: Callable[[UnraisableHookArgs], object]) -> None:
        self._before = before
        self._thread = get_ident()

    def __call__(self, dropped: UnraisableHookArgs) -> None:
        # Nothing may be imported here: it may have been an import, of the very module, that was interrupted.
        ours = get_ident() == self._thread and not sys.is_finalizing()
        if ours and issubclass(dropped.exc_type, KeyboardInterrupt):
            signal.signal(signal.SIGALRM, signal.default_int_handler)
            signal.setitimer(signal.ITIMER_REAL, AGAIN_SECONDS)
        else:
            self._before(dropped)
