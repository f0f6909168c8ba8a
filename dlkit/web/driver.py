"""The app's side of a tab: Textual's web driver, mended in three places."""

from __future__ import annotations

import os
from functools import partial
from threading import Lock
from typing import Any

from textual import events, messages
from textual.drivers.web_driver import WebDriver


class Driver(WebDriver):
    """Named by TEXTUAL_DRIVER in the app processes."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._focused = False
        self._turn = Lock()
        self._write = partial(self._write_whole)

    def _write_whole(self, packet: bytes) -> int:
        """Packets come from two threads (the screen's, and the input's, which delivers files): one after the other, or
        one would be written into the middle of another."""
        left = memoryview(packet)
        with self._turn:
            while left:
                left = left[os.write(self.fileno, left) :]
        return len(packet)

    def run_input_thread(self) -> None:
        """Ends the app with its input: a server that was killed leaves nobody behind."""
        super().run_input_thread()
        if not self.exit_event.is_set():
            self._app.post_message(messages.ExitApp())

    def start_application_mode(self) -> None:
        super().start_application_mode()
        if self._focused:
            self._focus()

    def on_meta(self, packet_type: str, payload: dict[str, Any]) -> None:
        """Textual starts by telling the app that it has no focus, after what it has done by then: a browser that is
        quicker would leave it without. Hence after that, and in the same roundabout way."""
        if packet_type in ("focus", "blur"):
            self._focused = packet_type == "focus"
        if packet_type == "focus":
            self._focus()
        else:
            super().on_meta(packet_type, payload)

    def _focus(self) -> None:
        self._app.call_later(self._app.post_message, events.AppFocus())
