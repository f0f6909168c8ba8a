"""From a table to a data set's splits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from dlkit.data.parts import held_out
from dlkit.data.randomness import rng
from dlkit.data.splits import Data, TensorSplit
from dlkit.data.tables import RawTable
from dlkit.errors import DataError
from dlkit_regression.encoding import Indices, encode, standardised
from dlkit_regression.info import Feature, Target
from dlkit_regression.options import Fractions


def without_test(parts: RowParts, config: Fractions) -> list[str]:
    """A note where a test split was asked for, and its share comes to no row."""
    if len(parts.test) or not config.test_fraction:
        return []
    count = len(parts.seen)
    return [f"no test split: dataset.test_fraction = {config.test_fraction:g} of {count} rows comes to none"]


@dataclass(frozen=True)
class RowParts:
    """Rows of each split; ``ordered``: in time order. ``test`` may be empty."""

    train: Indices
    val: Indices
    test: Indices
    ordered: bool = False

    @property
    def seen(self) -> Indices:
        """What is not test: all that scales may be taken from."""
        return np.concatenate([self.train, self.val])


def by_fraction(count: int, config: Fractions, *, who: str = "the table", ordered: bool = False) -> RowParts:
    """Rows 0 … count−1 cut into train, validation and test: in their order, or as ``split_seed`` draws them.

    DataError, which names ``who``, if they are too few.
    """
    # Of a handful of rows, none need be left for a test, but a run cannot do without validation.
    val, test = held_out(count, config.val_fraction), held_out(count, config.test_fraction, least=0)
    train = count - val - test
    if train < 1:
        raise DataError(f"{who}: too few rows for a training and a validation split: {count}")
    rows = np.arange(count) if ordered else rng(config.split_seed, "split").permutation(count)
    return RowParts(rows[:train], rows[train : train + val], rows[train + val :], ordered)


def fit_target(table: RawTable, name: str, unit: str, rows: Indices) -> Target:
    """The target's mean and standard deviation over ``rows``; DataError if it never changes."""
    values = table.numbers(name)[rows]
    if not values.std():
        raise table.error(int(rows[0]), name, f"the target is {values[0]:g} in every row that is not test")
    return Target(name=name, mean=float(values.mean()), std=float(values.std()), unit=unit)


def as_data(
    table: RawTable, columns: Sequence[Feature], target: Target, parts: RowParts, notes: Sequence[str] = ()
) -> Data:
    """Encode a table and cut it into splits."""
    features = encode(columns, table)
    values = standardised(table.numbers(target.name), target.mean, target.std)

    def split(rows: Indices) -> TensorSplit:
        return TensorSplit({"features": torch.from_numpy(features[rows]), "target": torch.from_numpy(values[rows])})

    info = {"columns": list(columns), "target": target, "ordered": parts.ordered}
    test = split(parts.test) if len(parts.test) else None
    return Data(train=split(parts.train), val=split(parts.val), test=test, info=info, notes=tuple(notes))
