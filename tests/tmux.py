"""A real tmux of a test's own: a server on its own socket, one window, keys sent and the pane read."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType

import pytest

from waiting import LONG


class Tmux:
    """``keys`` counts the key presses so far."""

    def __init__(self, command: str, *, columns: int = 80, lines: int = 24, environment: Mapping[str, str]) -> None:
        if shutil.which("tmux") is None:
            pytest.skip("tmux is not installed")
        self._folder = tempfile.TemporaryDirectory(prefix="tmux-")
        self._socket = str(Path(self._folder.name) / "socket")
        self.keys = 0
        words = " ".join(f"{key}={shlex.quote(value)}" for key, value in environment.items())
        self._tmux("new-session", "-d", "-x", str(columns), "-y", str(lines), f"env {words} {command}; read -r _")

    def __enter__(self) -> Tmux:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tmux("kill-server")
        self._folder.cleanup()

    def press(self, *keys: str) -> None:
        """Keys by tmux's names: ``Enter``, ``C-q``, ``j``."""
        for key in keys:
            self._tmux("send-keys", key)
            self.keys += 1

    def type(self, text: str) -> None:
        self._tmux("send-keys", "-l", text)
        self.keys += len(text)

    @property
    def text(self) -> str:
        return self._tmux("capture-pane", "-p")

    def wait_for(self, wanted: str | Callable[[str], object], seconds: float = LONG) -> str:
        """Until the pane shows it; returns the pane's text. AssertionError with the pane if it does not come."""
        holds = wanted if callable(wanted) else lambda text: wanted in text
        deadline = time.monotonic() + seconds
        while True:
            text = self.text
            if holds(text):
                return text
            assert time.monotonic() < deadline, f"{wanted!r} did not come; the pane:\n{text}"
            time.sleep(0.1)

    def _tmux(self, *words: str) -> str:
        done = subprocess.run(
            ["tmux", "-S", self._socket, "-f", "/dev/null", *words],
            capture_output=True,
            text=True,
            timeout=LONG,
            check=False,
        )
        return done.stdout
