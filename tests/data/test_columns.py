"""A column is the same whole, however its split makes samples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from dlkit.data.columns import column_parts, whole_column
from dlkit.data.ragged import Ragged
from dlkit.data.splits import MapSplit, TensorSplit


class Counting(MapSplit):
    """Sample i has label i, and i % 3 numbers."""

    padding = {"numbers": -1}

    def __len__(self) -> int:
        return 1203

    def sample(self, index: int, rng: np.random.Generator | None) -> Mapping[str, Any]:
        return {"label": index, "numbers": np.full(index % 3, index, np.int64)}

    def fingerprint(self) -> str:
        return ""


def test_in_memory_or_made_one_by_one() -> None:
    label = torch.arange(1203)
    assert torch.equal(whole_column(TensorSplit({"label": label}), "label"), label)
    assert torch.equal(whole_column(Counting(), "label"), label)


def test_ragged_columns_come_padded() -> None:
    rows = [torch.full((i % 3,), i) for i in range(1203)]
    (whole,) = column_parts(TensorSplit({"numbers": Ragged.of(rows, -1)}), "numbers")
    parts = list(column_parts(Counting(), "numbers"))
    assert len(parts) > 1 and torch.equal(torch.cat(parts), whole)
