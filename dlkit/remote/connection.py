"""A connection to another machine's dlkit: questions, one at a time, and their answers as they come."""

from __future__ import annotations

import math
import os
import select
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Self

from dlkit.remote.defined import Remote
from dlkit.remote.frames import PROTOCOL, BadFrame, Frame, find_magic, packed, read_frame
from dlkit.remote.ssh import CONNECT_SECONDS, Unreachable, explained, started

PATIENCE = 30.0
"""Seconds in which something must come, of who was asked for what he has."""
GREETING = CONNECT_SECONDS + 20.0
"""And of who must first be connected to, and start a Python."""
ENDING = 2.0


class Connection:
    """Opened at the first question, closed at the end of ``with``. Unreachable: there is none, or no more.

    ``version`` and ``host`` are what the other side said of itself, empty before that.
    """

    def __init__(self, remote: Remote) -> None:
        self.remote = remote
        self.version = self.host = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._buffer = b""
        self._deadline = 0.0
        self._came = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def is_open(self) -> bool:
        return self._process is not None

    def ask(self, what: str, *, patience: float = PATIENCE, most: float = math.inf, **more: object) -> Iterator[Frame]:
        """The frames of an answer, the last with ``done``. Unreachable, too, for what the other side could not do, and
        for an answer of more than ``most`` bytes."""
        self._came = 0
        question = packed({"ask": what, "workspace": self.remote.workspace, **more})
        new = self._process is None
        process = self._process or self._start()
        try:
            assert process.stdin is not None
            process.stdin.write(question)
            process.stdin.flush()
            if new:
                self._greet()
            while True:
                self._deadline = time.monotonic() + patience
                frame = read_frame(self._read)
                if frame is None:
                    raise BadFrame("the connection ended")
                if self._came > most:
                    raise BadFrame(f"an answer of more than {most:.0f} bytes")
                if error := frame.told.get("error"):
                    raise Unreachable(f"{self.remote.name}: {str(error)[:500]}")
                yield frame
                if frame.told.get("done"):
                    return
        except (BadFrame, BrokenPipeError, TimeoutError) as error:
            raise self._lost(error) from error
        except BaseException:  # who does not listen to the end would hear the rest as the next answer
            self.close()
            raise

    def close(self) -> None:
        """Take leave; the other side ends with its standard input."""
        process, self._process, self._buffer = self._process, None, b""
        if process is None:
            return
        assert process.stdin is not None and process.stdout is not None
        with suppress(OSError):
            process.stdin.close()
        process.stdout.close()
        try:
            process.wait(ENDING)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._errors.close()

    def _start(self) -> subprocess.Popen[bytes]:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the process
        try:
            self._process = started(self.remote, self._errors)
        except BaseException:
            self._errors.close()
            raise
        return self._process

    def _greet(self) -> None:
        self._deadline = time.monotonic() + GREETING
        try:
            find_magic(self._read)
        except (BadFrame, TimeoutError) as error:
            raise self._no_dlkit(str(error)) from error
        hello = read_frame(self._read)
        told: Mapping[str, object] = hello.told if hello is not None else {}
        self.version, self.host = str(told.get("dlkit", "?"))[:50], str(told.get("host", ""))[:100]
        if told.get("protocol") != PROTOCOL:
            from dlkit import __version__

            raise Unreachable(
                f"{self.remote.name}: dlkit {self.version} there and {__version__} here do not understand each other "
                f"(protocol {str(told.get('protocol'))[:20]} there, {PROTOCOL} here): have the same on both"
            )

    def _read(self, count: int) -> bytes:
        """So many bytes, fewer at the end; TimeoutError."""
        assert self._process is not None and self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        parts, missing = [self._buffer[:count]], count - len(self._buffer)
        self._buffer = self._buffer[count:]
        while missing > 0:
            if not select.select([descriptor], [], [], max(0.0, self._deadline - time.monotonic()))[0]:
                raise TimeoutError("nothing more has come")
            data = os.read(descriptor, 1 << 16)
            if not data:
                break
            self._came += len(data)
            parts.append(data[:missing])
            self._buffer = data[missing:]
            missing -= len(data)
        return b"".join(parts)

    def _no_dlkit(self, noise: str) -> Unreachable:
        """The greeting did not come: ssh's exit code and words say why."""
        code, errors = self._ended()
        return explained(self.remote, code, errors, noise)

    def _ended(self) -> tuple[int | None, str]:
        assert self._process is not None
        try:
            code: int | None = self._process.wait(ENDING)
        except subprocess.TimeoutExpired:
            code = None
        self._errors.seek(0)
        errors = self._errors.read(1 << 16).decode("utf-8", "replace")
        self.close()
        return code, errors

    def _lost(self, error: BaseException) -> Unreachable:
        if self._process is None:
            return Unreachable(f"{self.remote.name}: {error}")
        code, errors = self._ended()
        if self.version or isinstance(error, TimeoutError):
            lines = errors.strip().splitlines()
            return Unreachable(
                f"{self.remote.name}: connection lost: {error}{f' ({lines[-1][:200]})' if lines else ''}"
            )
        return explained(self.remote, code, errors)
