"""Whether the data behind a data set is there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dlkit.catalog import Catalog
from dlkit.components import DatasetSpec

FILES = "files"
"""The name that every task gives to the data set of the user's own files."""


def data_state(catalog: Catalog, dataset: DatasetSpec, data: Path) -> dict[str, Any]:
    """``embedded`` (needs no files), ``yours`` (a path to be given), ``present``, ``download`` with the bytes, or
    ``unknown`` for a missing source."""
    sources = {source.name: source for source in catalog.specs("source")}
    if dataset.name == FILES:
        return {"state": "yours", "download": 0}
    if not dataset.sources:
        return {"state": "embedded", "download": 0}
    if any(name not in sources for name in dataset.sources):
        return {"state": "unknown", "download": 0}
    from dlkit.data.layout import status

    absent = [sources[name] for name in dataset.sources if status(sources[name], data) != "present"]
    count = sum(file.size for source in absent for file in source.files)
    return {"state": "download" if absent else "present", "download": count}
