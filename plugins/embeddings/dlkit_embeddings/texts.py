"""Where the texts of a data set lie, for both tasks: in folders that say which part is which, or in one place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dlkit.data.parts import part_folders

PARTS = ("train", "val", "test")


def own_folders(place: Path) -> Mapping[str, Path]:
    """The part folders of somebody's own text, by part; empty: it has none, and is divided by position."""
    found = part_folders(place) if place.is_dir() else {}
    return found if "val" in found else {}


def book_folders(place: Path) -> Mapping[str, Path]:
    """The folders of ``gutenberg-books``; the test may be missing."""
    return {part: place / part for part in PARTS if part != "test" or (place / part).is_dir()}
