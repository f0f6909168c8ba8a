"""Sentences as text: in one normal form, and as columns of a batch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from dlkit.data.ragged import Ragged
from dlkit_translation.normal_form import normal

__all__ = ["as_column", "as_texts", "normal"]


def as_column(texts: Sequence[str]) -> Ragged:
    """UTF-8 bytes, padded with 0."""
    data = [text.encode() for text in texts]
    values = torch.tensor(list(b"".join(data)), dtype=torch.uint8)
    return Ragged(values, torch.tensor([0, *map(len, data)]).cumsum(0), 0)


def as_texts(column: Tensor) -> list[str]:
    """uint8 [N,bytes] of such a column as text."""
    return [bytes(row).rstrip(b"\0").decode() for row in column.cpu().tolist()]
