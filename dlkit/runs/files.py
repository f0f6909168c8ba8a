"""Writing small files so that a reader, or a power cut, never meets half of one."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from dlkit import bounded
from dlkit.bounded import RECORD, BadFile
from dlkit.errors import RunError
from dlkit.runs.faults import point

if TYPE_CHECKING:  # every command reads a file here, and none needs the names of types for it
    from dlkit.json_types import JsonObject


def write_json(path: Path, value: Mapping[str, object]) -> None:
    """Replace a JSON file atomically, on disk when this returns."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    write_text(path, encode_json(text).decode())


def encode_json(text: str) -> bytes:
    """JSON as UTF-8; half a surrogate pair (a byte of a file's name that is no UTF-8) becomes ``\\udcXX``."""
    return text.encode("utf-8", "backslashreplace")


def write_text(path: Path, text: str) -> None:
    """Replace a text file atomically, on disk when this returns."""
    # In the same folder: only within a file system does a rename replace a file at once.
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())  # else a power cut may leave the new name with nothing in it
        point("record.written")
        temporary.replace(path)
        point("record.replaced")
    except BaseException:  # Ctrl-C as well: nothing half-made stays behind
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)  # the name is an entry of the folder, and lost with it until that is on disk


def file_size(path: Path) -> int:
    """Bytes; 0 of a file that is not there or cannot be looked at."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def sync_folder(folder: Path) -> None:
    """Make names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Damaged(RunError, BadFile):
    """What a file of a run holds cannot be used. A ValueError too: whoever reads what others wrote expects one."""


def read_json(path: Path, limit: int = RECORD) -> JsonObject:
    """A JSON object; Damaged names the file if it is not one."""
    try:
        return bounded.read_json(path, limit)
    except BadFile as error:
        raise Damaged(str(error)) from error
