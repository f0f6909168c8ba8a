"""From a table, its columns and the rows of each split to a data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from dlkit.data.numerals import PLAIN, Numerals
from dlkit.data.splits import Data, TensorSplit
from dlkit.data.tables import RawTable
from dlkit_regression.columns import Category, Target
from dlkit_regression.encoding import Indices, encode, standardised, unknown
from dlkit_regression.info import Feature
from dlkit_regression.splitting import RowParts


def as_data(
    table: RawTable,
    columns: Sequence[Feature],
    target: Target,
    parts: RowParts,
    notes: Sequence[str] = (),
    *,
    form: Numerals = PLAIN,
    words: Sequence[str] = (),
    more: Mapping[str, object] | None = None,
) -> Data:
    """Encode a table and cut it into splits. ``form``: of the target; ``words``: those that stand for no value;
    ``more``: what ``info`` has besides."""
    features = encode(columns, table, words, training=True)
    values = standardised(table.numbers(target.name, form), target.mean, target.std)

    def split(rows: Indices) -> TensorSplit:
        return TensorSplit({"features": torch.from_numpy(features[rows]), "target": torch.from_numpy(values[rows])})

    info = {"columns": list(columns), "target": target, "ordered": parts.ordered, **(more or {})}
    test = split(parts.test) if len(parts.test) else None
    said = [*notes, *_unknown(table, columns, parts, words)]
    return Data(train=split(parts.train), val=split(parts.val), test=test, info=info, notes=tuple(said))


def _unknown(table: RawTable, columns: Sequence[Feature], parts: RowParts, words: Sequence[str]) -> list[str]:
    """Notes of validation and test rows with a category that no training row has."""
    held = set(np.concatenate([parts.val, parts.test]).tolist())
    notes = []
    for column in columns:
        rows = [row for row in unknown(column, table, words) if row in held] if isinstance(column, Category) else []
        if rows:
            first = f"{table.columns[column.name][rows[0]]!r} ({table.where(rows[0])})"
            notes.append(
                f"{column.name}: {len(rows)} rows of validation and test have a value that no training row has, such "
                f"as {first}: they count as none of the known"
            )
    return notes
