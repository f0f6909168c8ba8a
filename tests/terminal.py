"""A program on a terminal of its own, its screen read by an emulator: what a user sees, with the time it took."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType

import pyte

from waiting import LONG


class Terminal:
    """Runs ``words`` on a pseudo-terminal; ``text`` is the screen, after what ``wait_for`` has read."""

    def __init__(
        self, words: Sequence[str], *, columns: int = 80, lines: int = 24, environment: Mapping[str, str] | None = None
    ) -> None:
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self._screen)
        self.came = bytearray()
        """Every byte so far."""
        self.began = self._read_at = time.perf_counter()
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.process = subprocess.Popen(
            list(words),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            env={"TERM": "xterm-256color", "COLORTERM": "truecolor", **os.environ, **(environment or {})},
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(slave)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.hang_up()

    def hang_up(self) -> None:
        """The terminal is gone, as when a connection is lost."""
        if self._master >= 0:
            os.close(self._master)
            self._master = -1

    @property
    def lines(self) -> list[str]:
        return [line.rstrip() for line in self._screen.display]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def send(self, keys: str) -> float:
        """Type; returns the moment."""
        os.write(self._master, keys.encode())
        return time.perf_counter()

    def read(self, seconds: float = 0.0) -> bool:
        """Take in what comes within ``seconds``, at least what is there; False at the program's end."""
        ready, _, _ = select.select([self._master], [], [], seconds)
        if not ready:
            return True
        try:
            data = os.read(self._master, 1 << 16)
        except OSError:  # its side of the terminal is closed
            return False
        self._read_at = time.perf_counter()  # the emulator takes ten times as long as a terminal
        self._take(data)
        return bool(data)

    def _take(self, data: bytes) -> None:
        self.came += data
        self._stream.feed(data)

    def wait_for(self, wanted: str | Callable[[str], bool], seconds: float = LONG) -> float:
        """Until the screen shows it; returns when. AssertionError with the screen if it does not come."""
        holds = wanted if callable(wanted) else lambda text: wanted in text
        return self.wait_until(lambda: holds(self.text), seconds, repr(wanted))

    def wait_until(self, holds: Callable[[], bool], seconds: float = LONG, wanted: str = "it") -> float:
        """Until something holds of the screen; returns when what made it so was read."""
        deadline, moment, alive = time.perf_counter() + seconds, time.perf_counter(), True
        while not holds():
            if not alive or time.perf_counter() > deadline:
                raise AssertionError(f"{wanted} did not come; the screen:\n{self.text}")
            alive = self.read(0.05)
            moment = self._read_at
        return moment

    def starts_with(self, line: int, sign: str) -> bool:
        """Whether a line begins so; the whole text takes the emulator milliseconds."""
        return bool(self._screen.buffer[line][0].data == sign)

    def drain(self, seconds: float) -> int:
        """Take in whatever comes for so long; returns how many bytes came."""
        deadline, count = time.perf_counter() + seconds, 0
        while (left := deadline - time.perf_counter()) > 0:
            ready, _, _ = select.select([self._master], [], [], left)
            if ready:
                try:
                    data = os.read(self._master, 1 << 16)
                except OSError:
                    break
                count += len(data)
                self._take(data)
        return count
