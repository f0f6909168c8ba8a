"""Samples as JSON values, for commands that print them with ``--json``."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from dlkit.samples import Sample


def sample_document(sample: Sample, *, pixels: bool) -> dict[str, object]:
    """A sample's kind and fields; of images their pixels as nested lists, or their shape alone."""
    return {
        "kind": sample.kind,
        **{f.name: _plain(getattr(sample, f.name), pixels) for f in dataclasses.fields(sample)},
    }


def _plain(value: object, pixels: bool) -> object:
    if isinstance(value, np.ndarray):
        return {"shape": list(value.shape)} if value.dtype == np.uint8 and not pixels else value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name), pixels) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item, pixels) for key, item in value.items()}
    return [_plain(item, pixels) for item in value] if isinstance(value, (list, tuple)) else value
