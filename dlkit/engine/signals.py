"""Ctrl-C and SIGTERM: the first asks a run to stop at the next step, the second ends it at once."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

from dlkit.runs.giving_way import notice_seconds


class StopSignals:
    """While entered (in the main thread; elsewhere it does nothing), SIGINT and SIGTERM set ``asked``."""

    def __init__(self, tell: Callable[[str], None] | None = None) -> None:
        """``tell`` is called with the reason, from the signal handler, when a stop is asked for: it may not print."""
        self.asked = ""
        self._notice = notice_seconds()
        self._tell = tell
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> StopSignals:
        if threading.current_thread() is threading.main_thread():  # Python lets no other thread set handlers
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()

    def _ask(self, number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGTERM and self._notice and (self.asked or "DLKIT_SUPERVISOR" in os.environ):
            return  # a supervisor gets it too, and asks; who gives notice twice cuts nothing short
        if self.asked:  # the step that should have been the last hangs, or takes longer than somebody will wait
            raise KeyboardInterrupt
        self.asked = "interrupted (Ctrl-C)" if number == signal.SIGINT else "terminated (SIGTERM)"
        if self._tell is not None:
            self._tell(self.asked)
