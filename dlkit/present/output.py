"""Where a process's words go: results to stdout, talk to stderr, colour where it is seen.

Every line goes through here, so that no name, reason or answer can steer the terminal, whatever command shows it.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TextIO

from dlkit.plain_letters import PLAIN
from dlkit.present.text import escaped, fit_to_print
from dlkit.steering import own_stream


class _Heard:
    """How much has been written through here: whoever would write over an earlier line asks whether it is the last."""

    times = 0


def heard() -> tuple[int, int]:
    """Differs from what it was if anything has been said since: by dlkit, or on stderr by anybody in this process."""
    return _Heard.times, getattr(sys.stderr, "times", 0)


class _Meanwhile:
    """One line on the terminal that is gone as soon as anything else is said."""

    _width = 0

    def show(self, text: str) -> None:
        stream = own_stream(sys.stderr)
        if stream is not None and stream.isatty():
            self._width = len(text)
            print(fit_to_print(text), end="", file=stream, flush=True)

    def clear(self) -> None:
        if self._width:
            print(f"\r{' ' * self._width}\r", end="", file=own_stream(sys.stderr), flush=True)
            self._width = 0


_meanwhile = _Meanwhile()
say_meanwhile, say_no_longer = _meanwhile.show, _meanwhile.clear
"""What is going on until something else is said; and the end of it, where nothing is."""


def say(text: str, end: str = "\n") -> None:
    """Talk goes to stderr."""
    say_no_longer()
    _Heard.times += 1
    print(fit_to_print(text), end=end, file=own_stream(sys.stderr), flush=True)


def say_traceback(error: BaseException | None) -> None:
    """Where an exception came from; its message may be anybody's text: a file's, a plugin's, a run's."""
    import traceback

    say("".join(traceback.format_exception(error)), end="")


def print_result(text: str, end: str = "\n", *, flush: bool = False) -> None:
    """Results go to stdout; what that cannot encode is ``?`` there, in whatever process this is."""
    say_no_longer()
    _Heard.times += 1
    print(_encodable(fit_to_print(text)), end=end, flush=flush)


def print_stamped(text: str) -> None:
    """A line of the log of a process that nobody looks at, with the moment; at once, since it may be killed."""
    from time import strftime

    print_result(f"{strftime('%Y-%m-%d %H:%M:%S')} {text}", flush=True)


def _encodable(text: str) -> str:
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    if text.isascii() or encoding.lower().startswith("utf"):
        return text
    return text.encode(encoding, PLAIN).decode(encoding)


def print_json(value: object, *, indent: int | None = 2, flush: bool = False) -> None:
    """One strict JSON document on stdout; without ``indent`` a line."""
    import json

    from dlkit.strict_numbers import encode

    print_json_text(json.dumps(encode(value), indent=indent, ensure_ascii=False, allow_nan=False), flush=flush)


def print_json_text(text: str, *, flush: bool = False) -> None:
    """JSON that is written already; what could steer the terminal is escaped in it."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    text = escaped(text)
    say_no_longer()
    # Where stdout cannot hold every letter, "?" in its place would be another value.
    print(text if encoding.lower().startswith("utf") else _ascii(text), flush=flush)


def print_toml(text: str) -> None:
    """A TOML document on stdout, which reads the same whatever stdout can hold, as JSON does."""
    text, encoding = escaped(text), getattr(sys.stdout, "encoding", None) or "utf-8"
    plain = text if encoding.lower().startswith("utf") else "".join(c if c.isascii() else _toml(c) for c in text)
    print_result(plain, end="")


def _toml(letter: str) -> str:
    return f"\\u{ord(letter):04x}" if ord(letter) < 1 << 16 else f"\\U{ord(letter):08x}"


def _ascii(text: str) -> str:
    return "".join(c if c.isascii() else _unicode_escape(c) for c in text)


def _unicode_escape(letter: str) -> str:
    """As UTF-16, which JSON wants beyond U+FFFF."""
    units = letter.encode("utf-16-be").hex()
    return "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4))


def say_from_handler(text: str) -> None:
    """``say`` in a signal's handler: the signal may have come into a ``print``, and that cannot be entered twice."""
    _Heard.times += 1
    with suppress(OSError, ValueError):  # no standard error, or nobody reads it
        os.write(2 if sys.stderr is None else sys.stderr.fileno(), f"{fit_to_print(text)}\n".encode())


def colours(stream: TextIO | None = None) -> bool:
    """Whether to colour: a terminal, and NO_COLOR not set."""
    stream = stream or sys.stdout
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
