"""Text without what would steer a terminal; for whoever writes to one, whichever room that is in."""

from __future__ import annotations

import io
import re
from typing import TextIO

STEERING = r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\u202a-\u202e\u2066-\u2069]"
"""Control characters but tab and newline, other ends of lines, halves of surrogate pairs, and what turns the direction
of writing. The marks beside letters (joiners, U+200E, U+200F) stay: Persian and Hebrew are written with them. A
pattern's text: compiling it is 0.4 ms of a command, which most need not pay."""


def without_steering(text: str) -> str:
    """What could steer the terminal is shown as ``�``; tabs and newlines stay."""
    if str.isascii(text) and str.isprintable(text):  # TypeError of what is no text, as of the pattern below
        return text
    return re.sub(STEERING, "�", text)


def one_line(text: str) -> str:
    """A name, a label, a table's cell: clean, and no more than one line."""
    return without_steering(text).expandtabs(4).replace("\n", " ")


class FitStream(io.TextIOWrapper):
    """stderr for whoever writes there unasked: warnings, threads that fail, other packages' logs, whose texts may be a
    file's or a run's. ``own`` is the stream as it was, for dlkit's own writers, which clean what they are given and may
    paint it; they flush it after every line, so that nothing is overtaken. ``times`` counts what came here."""

    times = 0

    def __init__(self, own: io.TextIOWrapper) -> None:
        super().__init__(own.buffer, own.encoding, own.errors, line_buffering=True)
        self.own = own

    def write(self, text: str, /) -> int:
        self.times += 1
        return super().write(without_steering(text))

    def close(self) -> None:
        """Not the stream below, which is not this one's: Python's last words go there."""
        self.flush()


def own_stream(stream: TextIO) -> TextIO:
    """For dlkit's own writers: what they clean is not cleaned again, nor are their colours."""
    return stream.own if isinstance(stream, FitStream) else stream
