"""What options of data sets of images mean in configurations that are older than the options."""

from __future__ import annotations

from collections.abc import Mapping

# A run that goes on must see the pixels it began with, be they wrong: to see others is for a new run.
_PIXELS: Mapping[str, object] = {"background": "drop", "value_range": "type"}


def image_files(fields: dict[str, object], version: int) -> dict[str, object]:
    """Version 1 knew neither background nor ranges: transparency was dropped, and 16 bits were 0 … 65535."""
    return {**_PIXELS, **fields} if version < 2 else fields


def annotated_files(fields: dict[str, object], version: int) -> dict[str, object]:
    """Version 1 took boxes and names of classes as they are written; version 2 too knew no backgrounds or ranges."""
    fields = {"repeated": "keep", "spelling": "written", **fields} if version < 2 else fields
    return image_files(fields, version - 1)
