"""Whether the data behind a data set is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypedDict

from dlkit.catalog import Catalog
from dlkit.components import DatasetSpec, SourceSpec
from dlkit.present.numbers import size

FILES = "files"
"""The name that every task gives to the data set of the user's own files."""
UNREADABLE = "unreadable"
"""The state of data in a folder that somebody else keeps to himself."""
BY_HAND = "by hand"
"""The state of data that people fetch: its source declares no files."""


BIG = 20_000_000
"""Bytes from which on nothing is downloaded before somebody has said so."""


class Lacking(NamedTuple):
    """A data set whose files are not here: the sources to be fetched, their bytes."""

    dataset: str
    sources: tuple[str, ...]
    size: int


class DataState(TypedDict):
    """``state``: embedded (needs no files), yours (a path to be given), present, download, by hand (nothing of what is
    not there can be downloaded), unreadable, or unknown for a missing source; ``download``: the bytes still to be
    fetched."""

    state: str
    download: int


def data_state(catalog: Catalog, dataset: DatasetSpec, data: Path) -> DataState:
    """Whether what a data set reads is there, and what is to be fetched if not."""
    if dataset.name == FILES:
        return {"state": "yours", "download": 0}
    if not dataset.sources:
        return {"state": "embedded", "download": 0}
    if not {source.name for source in catalog.specs("source")}.issuperset(dataset.sources):
        return {"state": "unknown", "download": 0}
    if any(source.name in dataset.sources and is_unreadable(source, data) for source in catalog.specs("source")):
        return {"state": UNREADABLE, "download": 0}
    lacking = absent(catalog, dataset, data)
    count = sum(file.size for source in lacking for file in source.files)
    if lacking and not any(source.files for source in lacking):
        return {"state": BY_HAND, "download": 0}
    return {"state": "download" if lacking else "present", "download": count}


def lacking(states: Mapping[str, DataState], datasets: Sequence[DatasetSpec]) -> list[Lacking]:
    """What can be downloaded for these; where that is nothing, what is fetched by hand. The smallest first."""
    found = {s: [d for d in datasets if states[d.name]["state"] == s] for s in ("download", BY_HAND)}
    wanted = [Lacking(d.name, d.sources, states[d.name]["download"]) for d in found["download"] or found[BY_HAND]]
    return sorted(wanted, key=lambda one: one.size)


def download_choices(wanted: Sequence[Lacking]) -> tuple[tuple[str, str], ...]:
    """Each by itself, with what it weighs; and all together."""
    one = [(w.dataset, f"{w.dataset}  {size(w.size)}: {', '.join(w.sources)}") for w in wanted]
    total = size(sum(w.size for w in wanted))
    return (*one, *([("", f"all  {total}")] if len(wanted) > 1 else []))


def is_unreadable(source: SourceSpec, data: Path) -> bool:
    from dlkit.data.layout import status

    return status(source, data) == UNREADABLE


def absent(catalog: Catalog, dataset: DatasetSpec, data: Path) -> list[SourceSpec]:
    """The sources of a data set that are not there yet, of those that a plugin declares."""
    from dlkit.data.layout import status

    sources = {source.name: source for source in catalog.specs("source")}
    wanted = [sources[name] for name in dataset.sources if name in sources]
    return [source for source in wanted if status(source, data) != "present"]
