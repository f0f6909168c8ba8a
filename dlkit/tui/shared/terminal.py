"""What pictures this terminal can show: asked once, while the interface is imported, so that nothing waits for it."""

from __future__ import annotations

import os
import re
import select
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from dlkit.errors import UsageError

HALF_CELLS, KITTY, SIXEL = "half-cells", "kitty", "sixel"
BROWSER = "browser"
"""A page of ``dlkit web``, which says so itself; no terminal has that way, and the page no other but half-cells."""
AUTO = "auto"
WAYS = (AUTO, KITTY, SIXEL, HALF_CELLS)
"""In the order in which a key goes through them."""

_ATTRIBUTES = re.compile(rb"\x1b\[\?([\d;]*)c")
_CELL = re.compile(rb"\x1b\[6;(\d+);(\d+)t")
_KITTY = re.compile(rb"\x1bP>\|kitty\((\d+)\.(\d+)")
_QUERY = b"\x1b[>q\x1b[16t\x1b[c"
"""The terminal's name and version and the size of a cell, which some answer, and its attributes, which all do."""
_PLACEHOLDERS = (0, 28)
"""The first version of Kitty that knows them; Debian 12 has 0.26."""
_LOOK_SECONDS = 1.0
_PATIENCE = 0.03
_PATIENCE_AFAR = 1.0
"""Seconds to wait for the answer when the imports are done. Late, it would be taken for keys: over ssh wait longer."""


@dataclass
class Pictures:
    """How pictures are shown: what was ``found`` out, unless somebody ``chosen`` another way; ``cell`` is the size of
    a character in pixels (width, height)."""

    found: str = HALF_CELLS
    cell: tuple[int, int] = (10, 20)
    chosen: str = AUTO

    @property
    def way(self) -> str:
        return self.found if self.chosen == AUTO else self.chosen

    @property
    def grain(self) -> tuple[int, int]:
        """Pixels that a cell holds (width, height)."""
        return (1, 2) if self.way == HALF_CELLS else self.cell

    def choose(self, way: str) -> None:
        """As $DLKIT_IMAGES says; UsageError with what it may say."""
        if way == BROWSER:
            self.found, self.chosen = BROWSER, AUTO
            return
        if way not in WAYS:
            raise UsageError(f"DLKIT_IMAGES is {way!r}; it may be {', '.join(WAYS)}")
        self.chosen = way

    def next(self) -> None:
        """Go to the next way."""
        ways = (AUTO, HALF_CELLS) if self.found == BROWSER else WAYS
        self.chosen = ways[(ways.index(self.chosen) + 1) % len(ways)]

    def __str__(self) -> str:
        return f"{AUTO} ({self.found})" if self.chosen == AUTO else self.chosen


PICTURES = Pictures()
"""Of this process's terminal."""


@contextmanager
def asking() -> Iterator[None]:
    """Ask on entering, take the answer on leaving; what was typed meanwhile is lost. Without a terminal: half-cells."""
    if not _can_ask():
        yield
        return
    import termios
    import tty

    stdin = sys.__stdin__.fileno()  # type: ignore[union-attr]  # _can_ask
    before = termios.tcgetattr(stdin)
    try:
        tty.setcbreak(stdin, termios.TCSADRAIN)
        os.write(sys.__stdout__.fileno(), _QUERY)  # type: ignore[union-attr]
        yield
        understand(_answer(stdin), os.environ, PICTURES)
    finally:
        termios.tcsetattr(stdin, termios.TCSADRAIN, before)
    _measure_cell()


def end_without_terminal() -> None:
    """Have this process end when its terminal is gone, whatever state it is in. SIGHUP does that as a rule; where it is
    ignored (nohup), Textual would go on reading and writing nothing, at full speed. Jobs are processes of their own."""
    stdin = sys.__stdin__
    if stdin is not None and stdin.isatty():
        threading.Thread(target=_end_without, args=(stdin.fileno(),), name="dlkit-terminal", daemon=True).start()


def _end_without(terminal: int) -> None:
    import termios

    while True:
        time.sleep(_LOOK_SECONDS)
        try:
            termios.tcgetattr(terminal)
        except termios.error:
            os._exit(128 + signal.SIGHUP)


def understand(answer: bytes, environment: dict[str, str] | os._Environ[str], pictures: Pictures) -> None:
    """What the terminal said, and its name: the placeholders of Kitty's protocol are known to two terminals alone."""
    attributes = _ATTRIBUTES.search(answer)
    name = environment.get("TERM", "")
    version = _KITTY.search(answer)
    # Unicode placeholders, which survive tmux and scrolling, are known to two terminals only.
    if version is not None and (int(version[1]), int(version[2])) < _PLACEHOLDERS:
        pictures.found = HALF_CELLS
    elif name in ("xterm-kitty", "xterm-ghostty"):
        pictures.found = KITTY
    elif attributes is not None and b"4" in attributes[1].split(b";")[1:]:
        pictures.found = SIXEL
    cell = _CELL.search(answer)
    if cell is not None and int(cell[1]) and int(cell[2]):
        pictures.cell = int(cell[2]), int(cell[1])


def _can_ask() -> bool:
    streams = (sys.__stdin__, sys.__stdout__)
    if not all(stream is not None and not stream.closed and stream.isatty() for stream in streams):
        return False
    return os.environ.get("TERM") not in ("dumb", "linux", None) and not os.environ.get("TEXTUAL_DRIVER")


def _answer(stdin: int) -> bytes:
    found = b""
    end = time.monotonic() + (_PATIENCE_AFAR if os.environ.get("SSH_CONNECTION") else _PATIENCE)
    while not _ATTRIBUTES.search(found) and (left := end - time.monotonic()) > 0:
        if select.select([stdin], [], [], left)[0]:
            found += os.read(stdin, 1024)
    return found


def _measure_cell() -> None:
    """The size of a cell, where the kernel knows it."""
    import array
    import fcntl
    import termios

    size = array.array("H", [0, 0, 0, 0])
    try:
        fcntl.ioctl(sys.__stdout__.fileno(), termios.TIOCGWINSZ, size)  # type: ignore[union-attr]
    except OSError:
        return
    rows, columns, width, height = size
    if rows and columns and width >= columns and height >= rows:
        PICTURES.cell = width // columns, height // rows
