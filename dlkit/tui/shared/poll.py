"""One thread that looks at the file system, so that the interface never waits for a disk."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from textual.message import Message
from textual.message_pump import MessagePump

from dlkit.errors import in_words

T = TypeVar("T")
SECONDS = 0.5


class Source(Generic[T]):
    """Something that is looked at again and again; ``close()`` ends that."""

    def __init__(self, look: Callable[[], T | None], tell: Callable[[T], Message], target: MessagePump) -> None:
        self._look, self._tell, self._target = look, tell, target
        self._told = ""
        self.closed = False

    def close(self) -> None:
        self.closed = True

    def poll(self) -> None:
        try:
            found = self._look()
        # The boundary to whatever lies in a workspace: rubbish in one folder must not end the looking at all others.
        except Exception as error:
            self._complain(in_words(error))
            return
        if found is not None and not self.closed:
            self._target.post_message(self._tell(found))

    def _complain(self, text: str) -> None:
        if text != self._told and not self.closed:
            self._told = text
            self._target.post_message(Trouble(text))


class Trouble(Message):
    """Something could not be read."""

    def __init__(self, text: str) -> None:
        self.text = text
        super().__init__()


class Poller(threading.Thread):
    """``watch`` has a function called in this thread, every 0.5 s and when nudged; what it returns (None: nothing new)
    is posted as a message to ``target``, whose handlers own all state of the interface."""

    def __init__(self, seconds: float = SECONDS) -> None:
        super().__init__(name="dlkit-poll", daemon=True)
        self._seconds = seconds
        self._sources: list[Source[object]] = []
        self._nudged = threading.Event()
        self._ended = False

    def watch(self, look: Callable[[], T | None], tell: Callable[[T], Message], target: MessagePump) -> Source[T]:
        source = Source(look, tell, target)
        self._sources.append(source)  # type: ignore[arg-type]  # a source keeps its own type to itself
        self._nudged.set()
        return source

    def nudge(self) -> None:
        """Look now: something was just done whose effect is waited for."""
        self._nudged.set()

    def close(self) -> None:
        self._ended = True
        self._nudged.set()

    def run(self) -> None:
        while not self._ended:
            began = time.monotonic()
            self._nudged.clear()
            for source in reversed(self._sources.copy()):  # what somebody has just opened comes first
                if source.closed:
                    self._sources.remove(source)
                elif not self._ended:
                    source.poll()
            self._nudged.wait(max(0.05, self._seconds - (time.monotonic() - began)))
