"""Which files of a folder are meant."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from dlkit.errors import DataError
from dlkit.folders import files_below


def visible_files(folder: Path, suffixes: Collection[str]) -> list[Path]:
    """The files in a folder and below it with one of these suffixes, in any case, sorted by path; hidden ones left out,
    and those in hidden folders.

    DataError for what is no folder, cannot be read, or is nested without end.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder")
    try:
        found = [path for path in files_below(folder) if path.suffix.lower() in suffixes]
    except OSError as error:
        raise DataError(f"{folder}: cannot be searched: {error.strerror or error}") from error
    return sorted(p for p in found if not any(part.startswith(".") for part in p.relative_to(folder).parts))


def is_file(path: Path) -> bool:
    """Whether there is such a file; there is none of a name that no file can have (too long, with NUL)."""
    try:
        return path.is_file()
    except OSError:
        return False
