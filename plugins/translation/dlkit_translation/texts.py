"""Sentences as text: in one normal form, and as columns of a batch."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import torch
from torch import Tensor

from dlkit.data.ragged import Ragged

_SPACES = re.compile(r"\s+")


def normal(text: str) -> str:
    """Text as models see it: Unicode's NFKC, one blank for any white space, none at the ends."""
    return _SPACES.sub(" ", unicodedata.normalize("NFKC", text)).strip()


def as_column(texts: Sequence[str]) -> Ragged:
    """UTF-8 bytes, padded with 0."""
    data = [text.encode() for text in texts]
    values = torch.tensor(list(b"".join(data)), dtype=torch.uint8)
    return Ragged(values, torch.tensor([0, *map(len, data)]).cumsum(0), 0)


def as_texts(column: Tensor) -> list[str]:
    """uint8 [N,bytes] of such a column as text."""
    return [bytes(row).rstrip(b"\0").decode() for row in column.cpu().tolist()]
