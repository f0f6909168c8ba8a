"""What the server writes to an app's standard input, packet by packet, one driver after the other."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Iterator
from threading import Event
from typing import ClassVar

TICK_SECONDS = 0.1
"""How often whoever reads hears that nothing has come: a lone escape is a key when nothing follows it."""
HEAD = 5
"""A letter for the kind, and four bytes for the length of what follows."""


class Input:
    """Whole packets from standard input; empty bytes where none has come for a while. For ``WebDriver``, in place of
    Textual's reader.

    An app that is opened again in its process has another driver, and so another of these. What has not been given
    when this one is closed is the next one's: a key typed meanwhile, or the half of a packet that had come by then.
    """

    _rest: ClassVar[bytes] = b""

    def __init__(self) -> None:
        assert sys.__stdin__ is not None
        self._stdin = sys.__stdin__.fileno()
        self._woken, self._waker = os.pipe()
        self._closed = Event()

    def close(self) -> None:
        """End the iteration at once, from any thread."""
        if not self._closed.is_set():
            self._closed.set()
            os.write(self._waker, b"\0")

    def dispose(self) -> None:
        """When it is closed, and nobody iterates any more."""
        os.close(self._woken)
        os.close(self._waker)

    def __iter__(self) -> Iterator[bytes]:
        while not self._closed.is_set():
            if packet := self._packet():
                yield packet
                continue
            ready = select.select([self._stdin, self._woken], [], [], TICK_SECONDS)[0]
            if self._closed.is_set():
                return
            if not ready:
                yield b""
            elif not (data := os.read(self._stdin, 1 << 16)):
                return
            else:
                Input._rest += data

    def _packet(self) -> bytes:
        """The next, if all of it is there."""
        end = HEAD + int.from_bytes(Input._rest[1:HEAD], "big")
        if not HEAD <= end <= len(Input._rest):
            return b""
        packet, Input._rest = Input._rest[:end], Input._rest[end:]
        return packet
