"""Columns whose rows differ in length, as one tensor and where its rows begin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from dlkit.data.destination import Destination
from dlkit.data.plans import Indices


@dataclass(frozen=True)
class Ragged:
    """A column of rows of different length: row i is ``values[offsets[i]:offsets[i+1]]``; offsets are int64 [rows+1].

    A batch gets it padded to its longest row: [N, M, …], ``padding`` beyond a row's end.
    """

    values: Tensor
    offsets: Tensor
    padding: float = 0

    @classmethod
    def of(cls, rows: Sequence[Tensor], padding: float = 0) -> Ragged:
        lengths = torch.tensor([0, *(len(row) for row in rows)])
        return cls(torch.cat(list(rows)), lengths.cumsum(0), padding)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: Tensor) -> Tensor:
        return self.rows(index, self.width(index.cpu().numpy()))

    @cached_property
    def lengths(self) -> Indices:
        """Of all rows, on the host."""
        return np.diff(self.offsets.cpu().numpy())

    def width(self, index: Indices) -> int:
        """The longest of these rows' lengths."""
        return int(self.lengths[index].max(initial=0))

    def rows(self, index: Tensor, width: int) -> Tensor:
        """The rows at ``index``, padded to ``width``, which the host knows: to read it here would be to wait."""
        first, lengths = self.offsets[index], self.offsets[index + 1] - self.offsets[index]
        position = torch.arange(width, device=self.values.device)  # [M]
        inside = position < lengths[:, None]  # [N, M]
        rows = self.values[torch.where(inside, first[:, None] + position, 0)]
        outside = ~inside.reshape(*inside.shape, *[1] * (rows.dim() - 2))
        return rows.masked_fill(outside, self.padding)

    def to(self, destination: Destination) -> Ragged:
        values, offsets = destination.put(self.values), destination.put(self.offsets)
        same = values is self.values and offsets is self.offsets
        if same:
            return self
        moved = Ragged(values, offsets, self.padding)
        vars(moved)["lengths"] = self.lengths  # from here: there they would be read back
        return moved


def pad(rows: Sequence[Tensor], padding: float = 0) -> Tensor:
    """Rows [M_i, …] → [N, max M, …], filled with ``padding``."""
    return Ragged.of(rows, padding)[torch.arange(len(rows))]
