"""A picture that stays where it is on a terminal: the next one is drawn over it, and what is said goes above it."""

from __future__ import annotations

import os
import re
import shutil
import sys
import unicodedata

from dlkit.present.output import heard

_PAINT = re.compile(r"\x1b\[[0-9;]*m")


class Standing:
    """The last lines before the cursor's. ``written`` gives what to write for words and for a picture, either empty."""

    def __init__(self) -> None:
        self._picture = ""
        self._rows = 0
        self._width = 0
        self._heard = heard()

    @property
    def replaceable(self) -> bool:
        """Whether there is a picture, and the next one would take its place."""
        return bool(self._rows and self._gone())

    def written(self, words: str = "", picture: str = "") -> str:
        """``words`` above the picture that stands; ``picture`` in its place. Both are fit to print."""
        kept = picture or self._picture
        gone = self._gone() if self._rows else ""
        if self._rows and not gone:  # it cannot be replaced where it is: it stays as it is
            kept = picture
        self._stand(kept)
        return "".join([gone, *(f"{part}\n" for part in (words, kept) if part)])

    def note(self) -> None:
        """What has just been written was written for this."""
        self._heard = heard()

    def leave(self) -> None:
        """The picture stays; what comes is written below it."""
        self._picture, self._rows = "", 0

    def _stand(self, picture: str) -> None:
        columns, lines = shutil.get_terminal_size()
        rows = sum(_rows(line, columns) for line in picture.split("\n")) if picture else 0
        fits = rows < lines - 1 and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._picture, self._rows, self._width = (picture, rows, columns) if fits else ("", 0, columns)

    def _gone(self) -> str:
        """What takes it away; empty where it cannot be: others wrote below it, or its lines are broken elsewhere."""
        columns, lines = shutil.get_terminal_size()
        if self._heard != heard() or columns != self._width or self._rows >= lines:
            return ""
        return f"\r\x1b[{self._rows}A\x1b[J"


def _rows(line: str, columns: int) -> int:
    """Rows of the terminal that a line takes: a wide letter is not broken in two."""
    rows, column = 1, 0
    for letter in _PAINT.sub("", line):
        cells = 0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        if column + cells > columns:
            rows, column = rows + 1, 0
        column += cells
    return rows
