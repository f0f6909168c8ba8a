"""What options of data sets of images mean in configurations that are older than the options."""

from __future__ import annotations

from collections.abc import Mapping

# A run that goes on must see the pixels it began with, be they wrong: to see others is for a new run.
_PIXELS: Mapping[str, object] = {"background": "drop", "value_range": "type"}
_FOLDERS: Mapping[str, object] = {
    "links": "skip",
    "suffixes": [".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"],
    "doubtful": "take",
}


def image_files(fields: dict[str, object], version: int) -> dict[str, object]:
    """Version 1 knew neither background nor ranges: transparency was dropped, and 16 bits were 0 … 65535."""
    return {**_PIXELS, **fields} if version < 2 else fields


def image_folders(fields: dict[str, object], version: int) -> dict[str, object]:
    """Version 1, of folders without annotations: besides, linked folders were not entered, and fewer suffixes known."""
    return {**_FOLDERS, **image_files(fields, version)} if version < 2 else fields


def class_folders(fields: dict[str, object], version: int) -> dict[str, object]:
    """Likewise of folders by class, whose names were taken as they are."""
    return {"spelling": "written", **image_folders(fields, version)} if version < 2 else fields


def annotated_files(fields: dict[str, object], version: int) -> dict[str, object]:
    """Version 1 took boxes and names of classes as they are written; version 2 too knew no backgrounds or ranges."""
    fields = {"repeated": "keep", "spelling": "written", **fields} if version < 2 else fields
    return image_files(fields, version - 1)
