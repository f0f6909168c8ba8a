"""What a plugin does while it is imported that would end, hold up or garble the whole process: kept from it.

Only what the importing thread does is concerned: others write, start threads and end as ever.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TextIO

from dlkit.errors import PluginError

KEPT = 200
"""Letters of what a plugin prints that are kept, to say what it was."""


class _Heard:
    """Takes what one thread prints, and passes on what others do."""

    def __init__(self, stream: TextIO, thread: int) -> None:
        self._stream, self._thread, self.text = stream, thread, ""

    def write(self, text: str) -> int:
        if threading.get_ident() != self._thread:
            return len(text) if self._stream is None else int(self._stream.write(text))
        if len(self.text) < KEPT:
            self.text += str(text)[:KEPT]
        return len(text)

    def flush(self) -> None:
        if threading.get_ident() != self._thread and self._stream is not None:
            self._stream.flush()

    def close(self) -> None:
        """Not by a plugin."""

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)


class Quiet:
    """``begin`` and ``end`` stand around the import of one plugin; ``end`` says in words what it did.

    Who gives an import up ends it for the thread that hangs, whose own end then changes nothing any more.
    """

    def __init__(self) -> None:
        self._thread, self._process = threading.get_ident(), os.getpid()
        self._started: list[threading.Thread] = []
        self._heard: list[_Heard] = []
        self._places: list[tuple[object, str, object, object]] = []

    def begin(self) -> None:
        self._heard = [_Heard(stream, self._thread) for stream in (sys.stdout, sys.stderr)]
        self._started, theirs = [], self._heard
        for owner, name, ours in (
            (sys, "stdout", theirs[0]),
            (sys, "stderr", theirs[1]),
            (os, "_exit", self._exit(os._exit)),
            (os, "abort", self._exit(os.abort)),
            (threading.Thread, "start", self._start(threading.Thread.start)),
        ):
            self._places.append((owner, name, getattr(owner, name), ours))
            setattr(owner, name, ours)

    def end(self) -> list[str]:
        places, self._places = self._places, []
        changed = [f"{_called(owner)}.{name}" for owner, name, _, ours in places if getattr(owner, name) is not ours]
        for owner, name, before, _ in places:
            setattr(owner, name, before)
        found = [f"changed {', '.join(changed)}"] if changed else []
        if text := "".join(heard.text for heard in self._heard).strip():
            found.append(f"printed {text.splitlines()[0]!r}")
        if left := [thread.name for thread in self._started if thread.is_alive()]:
            found.append(f"left {len(left)} thread{'s' * (len(left) > 1)} running: {', '.join(left[:3])}")
        return found

    def _exit(self, end: Callable[..., object]) -> Callable[..., object]:
        def refuse(*code: int) -> object:
            if (threading.get_ident(), os.getpid()) == (self._thread, self._process):
                raise PluginError(f"{end.__name__}{code if code else '()'} while it was imported: that would end dlkit")
            return end(*code)

        return refuse

    def _start(self, start: Callable[[threading.Thread], None]) -> Callable[[threading.Thread], None]:
        def start_daemon(thread: threading.Thread) -> None:
            if threading.get_ident() == self._thread:
                thread.daemon = True  # the process would wait for it at its end
                self._started.append(thread)
            start(thread)

        return start_daemon


def _called(owner: object) -> str:
    return str(getattr(owner, "__qualname__", getattr(owner, "__name__", "")))


class Streams:
    """The descriptors 0 to 2, and Python's own streams on them: a plugin that closes one closes it for everybody.

    ``kept_clean``: what is written to descriptor 1 meanwhile, by C too, goes nowhere: a document is to come out of it.
    """

    def __init__(self, kept_clean: bool = False) -> None:
        self._kept = {number: copy for number in range(3) if (copy := _copy(number)) is not None}
        self._stdout = self._divert() if kept_clean else None
        self._written = 0
        self._were = {number: _which(number) for number in self._kept}

    def undo(self) -> Iterator[str]:
        for number, copy in self._kept.items():
            if _which(number) != self._were[number]:
                os.dup2(copy, number)
                yield f"closed or replaced {('stdin', 'stdout', 'stderr')[number]}"
        for number, name in ((1, "stdout"), (1, "__stdout__"), (2, "stderr"), (2, "__stderr__")):
            if number in self._kept and getattr(getattr(sys, name), "closed", False):
                setattr(sys, name, open(number, "w", encoding="utf-8", closefd=False))  # noqa: SIM115  # the process's
                yield f"closed sys.{name}"
        if self._stdout is not None and (size := os.fstat(self._kept[1]).st_size) > self._written:
            text = os.pread(self._kept[1], KEPT, self._written).decode("utf-8", "replace").strip()
            self._written = size
            yield f"wrote {text.partition(chr(10))[0]!r} to stdout"

    def close(self) -> None:
        if self._stdout is not None:
            os.dup2(self._stdout, 1)
            os.close(self._stdout)
        for copy in self._kept.values():
            with suppress(OSError):
                os.close(copy)

    def _divert(self) -> int | None:
        """Descriptor 1 to a file in memory, which ``_kept`` has from then on; what it was, or None: it stays."""
        if 1 not in self._kept or not hasattr(os, "memfd_create"):
            return None
        try:
            file = os.memfd_create("dlkit-plugins")
        except OSError:
            return None
        if sys.stdout is not None:
            sys.stdout.flush()  # of what has been said before, nothing is lost
        os.dup2(file, 1, inheritable=True)
        stdout, self._kept[1] = self._kept[1], file
        return stdout


def _copy(number: int) -> int | None:
    try:
        return os.dup(number)
    except OSError:
        return None


def _which(number: int) -> tuple[int, int] | None:
    try:
        found = os.fstat(number)
    except OSError:
        return None
    return found.st_dev, found.st_ino
