"""Small files of a run by their paths: what they hold, and how large they are."""

from __future__ import annotations

import json
import stat
from collections.abc import Mapping
from pathlib import Path

from dlkit.runs import opening


def write_json(path: Path, value: Mapping[str, object]) -> None:
    """Replace a JSON file atomically, on disk when this returns."""
    opening.replace(path, encode_json(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"))


def encode_json(text: str) -> bytes:
    """JSON as UTF-8; half a surrogate pair (a byte of a file's name that is no UTF-8) becomes ``\\udcXX``."""
    return text.encode("utf-8", "backslashreplace")


def write_text(path: Path, text: str) -> None:
    """Replace a text file atomically, on disk when this returns."""
    opening.replace(path, text.encode())


def file_size(path: Path) -> int:
    """Bytes; 0 of what is not there, cannot be looked at or is no regular file. Of a file that grows, a stat call."""
    try:
        found = path.lstat()
    except OSError:
        return 0
    return found.st_size if stat.S_ISREG(found.st_mode) else 0
