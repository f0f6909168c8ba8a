"""Texts of a command line: as they are written there, or what is in a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dlkit.data.text.corpus import read_text


def read_texts(arguments: Sequence[str]) -> list[str]:
    """Each argument, or the text of the file that it names. DataError for a file that is no text."""
    return [read_text(Path(argument)) if _is_file(argument) else argument for argument in arguments]


def _is_file(argument: str) -> bool:
    try:
        return Path(argument).is_file()
    except (OSError, ValueError):  # a text longer than a file's name may be
        return False
