"""What options that a run was written without mean for it: what was done then."""

from __future__ import annotations

from dlkit.data.earlier import image_folders


def dataset(fields: dict[str, object], version: int) -> dict[str, object]:
    """Before version 2 as many images were judged as a split has, drawn at random."""
    return {**({"judged": 0} if version < 2 else {}), **fields}


def files(fields: dict[str, object], version: int) -> dict[str, object]:
    """Version 2 knew neither backgrounds nor ranges of values (``dlkit.data.earlier``)."""
    return image_folders(dataset(fields, version), version - 1)
