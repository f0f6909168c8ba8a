"""What several commands share: the parser, the workspace, tables, JSON."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from dlkit.errors import UsageError


class Parser(argparse.ArgumentParser):
    """argparse whose errors are UsageErrors: one line, exit code 2, no usage block before it."""

    def __init__(self, command: str, description: str, **options: Any) -> None:
        options.setdefault("allow_abbrev", False)
        options.setdefault("formatter_class", _formatter)
        super().__init__(prog=f"dlkit {command}", description=description, **options)

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}\n  {self.format_usage().strip()}")

    def with_workspace(self) -> Parser:
        self.add_argument("--workspace", metavar="DIR", help="default: $DLKIT_WORKSPACE, else ./workspace")
        return self

    def with_json(self) -> Parser:
        self.add_argument("--json", action="store_true", help="one JSON document on stdout")
        return self


def _formatter(prog: str) -> argparse.HelpFormatter:
    """argparse's own, given the width: asking the terminal for it imports shutil, 3 ms in every command."""
    try:
        columns = os.get_terminal_size().columns
    except OSError:
        columns = 100
    return argparse.HelpFormatter(prog, width=max(60, min(columns, 120)) - 2)


def print_json(value: Any) -> None:
    """One strict JSON document on stdout."""
    from dlkit.events import encode

    print(json.dumps(encode(value), indent=2, ensure_ascii=False, allow_nan=False))


def say(text: str) -> None:
    """Talk goes to stderr."""
    print(text, file=sys.stderr, flush=True)


def table(headers: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Aligned columns, two blanks apart; numbers to the right."""
    cells = [[_text(cell) for cell in row] for row in rows]
    right = [bool(cells) and all(_is_number(row[i]) for row in cells) for i in range(len(headers))]
    widths = [max(len(line[i]) for line in [list(headers), *cells]) for i in range(len(headers))]
    lines = [
        "  ".join(c.rjust(w) if r else c.ljust(w) for c, w, r in zip(line, widths, right, strict=True)).rstrip()
        for line in [list(headers), *cells]
    ]
    return "\n".join(lines)


def number(value: float | None) -> str:
    """A metric for people: four significant digits."""
    return "" if value is None else f"{value:.4g}"


def duration(seconds: float) -> str:
    """``4 s``, ``2:05``, ``1:02:05``."""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{whole} s"
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def size(count: float) -> str:
    """Bytes for people: ``11.5 MB``."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    raise AssertionError


def colours(stream: Any = None) -> bool:
    """Whether to colour: a terminal, and NO_COLOR not set."""
    stream = stream or sys.stdout
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    return number(cell) if isinstance(cell, float) else str(cell)


def _is_number(text: str) -> bool:
    try:
        float(text.replace(" ", "") or "0")
    except ValueError:
        return False
    return True
