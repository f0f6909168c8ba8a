"""A split's column as a whole, for previews and counts."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from dlkit.data.plans import in_order
from dlkit.data.ragged import Ragged
from dlkit.data.splits import Split, TensorSplit

_BATCH = 500
"""Samples made at a time where they are made one by one."""


def column_parts(split: Split, name: str) -> Iterator[Tensor]:
    """A column [N, …] of all samples in their order, on the CPU, in one piece or several.

    For columns that the split's ``transform`` leaves as they are: they are taken as they are stored, which makes no
    other column of all samples at once. Pieces of a ragged column are padded each to its own longest row.
    """
    # Straight from memory where it lies there: through batches, every image would be normalised for its label alone.
    column = split.columns.get(name) if isinstance(split, TensorSplit) else None
    if isinstance(column, Ragged):
        yield column[torch.arange(len(column))].cpu()
    elif column is not None:
        yield column.cpu()
    else:
        for batch in split.batches(in_order(len(split), _BATCH), seed=0, epoch=None):
            yield batch[name].cpu()


def whole_column(split: Split, name: str) -> Tensor:
    """A column [N, …] of all samples in their order, on the CPU; for columns that are not ragged."""
    return torch.cat(list(column_parts(split, name)))
