"""A real terminal for this very process: what it writes is read byte by byte at the other end."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import sys
import termios
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from waiting import LONG

_END = b"\x00that is all\x00"


@contextmanager
def on_terminal(columns: int = 120, lines: int = 40) -> Iterator[Callable[[], str]]:
    """stdout and stderr, sys's and those of the process, on a pseudo-terminal; the function gives what was written to
    it since it was last asked. It hands on every byte as it is."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    heard, came = bytearray(), threading.Condition()

    def listen() -> None:
        while True:
            try:
                data = os.read(master, 1 << 16)
            except OSError:  # the other side is closed
                return
            with came:
                heard.extend(data)
                came.notify()

    def written() -> str:
        sys.stdout.flush()
        sys.stderr.flush()
        os.write(slave, _END)
        with came:
            assert came.wait_for(lambda: heard.endswith(_END), LONG)
            text = bytes(heard[: -len(_END)]).decode()
            heard.clear()
        return text

    ear = threading.Thread(target=listen, daemon=True)
    ear.start()
    kept, streams = [os.dup(number) for number in (1, 2)], (sys.stdout, sys.stderr)
    try:
        for number in (1, 2):
            os.dup2(slave, number)
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", errors="replace", closefd=False)
        sys.stderr = os.fdopen(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)
        yield written
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        sys.stdout, sys.stderr = streams
        for number, copy in zip((1, 2), kept, strict=True):
            os.dup2(copy, number)
            os.close(copy)
        os.close(slave)
        ear.join(LONG)
        os.close(master)
