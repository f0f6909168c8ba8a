"""The app's side of a tab: Textual's web driver, mended where it matters here."""

from __future__ import annotations

import asyncio
import os
from functools import partial
from threading import Event, Lock
from typing import Any, ClassVar

from textual import events, messages
from textual.drivers.web_driver import WebDriver

from dlkit.web.input import Input


class Driver(WebDriver):
    """Named by TEXTUAL_DRIVER in the app processes. What is known of the tab outlives one driver: an app that is opened
    again in the same process has another."""

    _focused: ClassVar[bool] = False

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._ready = Event()
        self._input = Input()
        self._input_reader = self._input  # type: ignore[assignment]  # has all of it that Textual uses
        self._turn = Lock()
        self._write = partial(self._write_whole)

    def start_application_mode(self) -> None:
        super().start_application_mode()
        asyncio.run_coroutine_threadsafe(self._begin(), asyncio.get_running_loop())

    async def _begin(self) -> None:
        """Textual itself tells the app its first size, one turn of the loop before this, and that it has no focus, one
        message later: so this waits for two messages."""
        self._app.call_later(self._app.call_later, self._open)

    def _open(self) -> None:
        if Driver._focused:
            self._app.post_message(events.AppFocus())
        self._ready.set()

    def run_input_thread(self) -> None:
        """Reads nothing before the app has been told how it begins: a quicker browser's size and focus would be
        overruled. Ends the app with its input: a killed server leaves no process behind."""
        self._ready.wait()
        super().run_input_thread()
        if not self.exit_event.is_set():
            self._app.post_message(messages.ExitApp())

    def stop_application_mode(self) -> None:
        """Textual leaves its input thread to itself: for a tenth of a second, longer on a busy machine, it would take
        what is meant for the next driver."""
        super().stop_application_mode()
        self._ready.set()
        self._key_thread.join()  # which nothing holds up: its reader is closed
        self._input.dispose()

    def on_meta(self, packet_type: str, payload: dict[str, Any]) -> None:
        if packet_type in ("focus", "blur"):
            Driver._focused = packet_type == "focus"
        elif packet_type == "resize":  # what the next driver begins with
            os.environ.update(COLUMNS=str(payload["width"]), ROWS=str(payload["height"]))
        super().on_meta(packet_type, payload)

    def send_picture(self, number: int, columns: int, rows: int, png: str) -> None:
        """To the page, which draws it over the cells that have its number."""
        self.write_meta({"type": "picture", "number": number, "columns": columns, "rows": rows, "png": png})

    def _write_whole(self, packet: bytes) -> int:
        """Packets come from two threads (the screen's, and the input's, which delivers files): one after the other, or
        one would be written into the middle of another."""
        left = memoryview(packet)
        with self._turn:
            while left:
                left = left[os.write(self.fileno, left) :]
        return len(packet)
