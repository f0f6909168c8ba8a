"""A real xterm on a screen that nobody sees: keys are pressed in it, and its pixels are looked at."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt
import pytest

from waiting import LONG

NEEDED = ("Xvfb", "xterm", "xdotool")
Frame = npt.NDArray[np.uint8]
"""RGB [H,W,3]."""


class XTerm:
    """``command`` in an xterm that has Sixel."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], size: tuple[int, int] = (80, 24)
    ) -> None:
        if missing := [name for name in NEEDED if shutil.which(name) is None]:
            pytest.skip(f"not installed: {', '.join(missing)}")
        self._folder = tempfile.TemporaryDirectory(prefix="xvfb-")
        self._processes: list[subprocess.Popen[bytes]] = []
        display = self._screen()
        self._environment = {**os.environ, "DISPLAY": display}
        words = ["xterm", "-ti", "vt340", "-geometry", "{}x{}+0+0".format(*size), "-e", *command]
        self._begin(words, {**environment, "DISPLAY": display})
        self.wait_for(lambda frame: frame.any(), "a window")
        self._do("mousemove", "20", "20")  # keys go to the window below: nobody manages any here

    def _screen(self) -> str:
        reading, writing = os.pipe()
        words = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1280x800x24", "-nolisten", "tcp", "-fbdir"]
        process = subprocess.Popen(
            [*words, self._folder.name], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, pass_fds=[writing]
        )
        self._processes.append(process)
        os.close(writing)
        with os.fdopen(reading) as told:
            return f":{told.readline().strip()}"

    def _begin(self, words: Sequence[str], environment: Mapping[str, str]) -> None:
        process = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._processes.append(process)

    def __enter__(self) -> XTerm:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in reversed(self._processes):
            process.terminate()
            process.wait(LONG)
        self._folder.cleanup()

    def press(self, *keys: str) -> None:
        """Keys by X's names: ``Return``, ``ctrl+p``, ``s``."""
        for key in keys:
            self._do("key", key)

    def resize(self, width: int, height: int) -> None:
        """In pixels."""
        self._do("search", "--class", "xterm", "windowsize", str(width), str(height))

    def frame(self) -> Frame:
        """What is on the screen. Xvfb keeps it in a file of xwd's format: 25 numbers, colours, then lines of BGRX."""
        data = (Path(self._folder.name) / "Xvfb_screen0").read_bytes()
        head = np.frombuffer(data, ">u4", 25)
        width, height, across = int(head[4]), int(head[5]), int(head[12])
        pixels = np.frombuffer(data, np.uint8, across * height, int(head[0]) + 12 * int(head[19]))
        return pixels.reshape(height, across // 4, 4)[:, :width, 2::-1]

    def wait_for(self, holds: Callable[[Frame], object], what: str) -> Frame:
        """Until the screen is so, twice in succession; AssertionError if it does not come."""
        deadline, before = time.monotonic() + LONG, None
        while True:
            frame = self.frame()
            if before is not None and np.array_equal(frame, before) and holds(frame):
                return frame
            assert time.monotonic() < deadline, f"{what} did not come"
            before = frame
            time.sleep(0.2)

    def _do(self, *words: str) -> None:
        subprocess.run(["xdotool", *words], env=self._environment, check=True, capture_output=True, timeout=LONG)
