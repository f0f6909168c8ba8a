"""Where the texts of a data set lie and how they are read, for both tasks: in folders of parts, or in one place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dlkit.data.context import Context
from dlkit.data.parts import part_folders
from dlkit.data.text.corpus import AUTO
from dlkit.data.text.reading import TextReader
from dlkit.data.text.segments import NOW

PARTS = ("train", "val", "test")


def own_folders(place: Path) -> Mapping[str, Path]:
    """The part folders of somebody's own text, by part; empty: it has none, and is divided by position."""
    found = part_folders(place) if place.is_dir() else {}
    return found if "val" in found else {}


def book_folders(place: Path) -> Mapping[str, Path]:
    """The folders of ``gutenberg-books``; the test may be missing."""
    return {part: place / part for part in PARTS if part != "test" or (place / part).is_dir()}


def reader_for(context: Context, encoding: str = AUTO, controls: bool = False) -> TextReader:
    """What reads the texts: by the rules of the run that goes on or is measured, else today's."""
    earlier = context.earlier()
    return TextReader(encoding, controls, NOW if earlier is None else earlier.rules)
