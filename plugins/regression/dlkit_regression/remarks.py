"""What is to be said of rows that are answered: what was filled, what the model has never seen the like of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from dlkit.data.tables import RawTable
from dlkit_regression.columns import Category, Column, Number, feature_names
from dlkit_regression.encoding import Encoded, unknown

FAR = 100.0
"""Deviations from the training rows' mean beyond which an answer is anybody's guess, and a number perhaps a mark."""


def remarks(columns: Sequence[Column], table: RawTable, features: Encoded, words: Sequence[str]) -> list[str]:
    """A note for each column with something to say: how many rows, the first of them."""
    said: list[str] = []
    first = 0
    for column in columns:
        width = len(feature_names(column))
        said += _of_column(column, table, features[:, first : first + width], words)
        first += width
    return said


def _of_column(column: Column, table: RawTable, features: Encoded, words: Sequence[str]) -> list[str]:
    if isinstance(column, Category):
        rows = unknown(column, table, words)
        return _note(table, column, rows, "a value that no training row had: none of the known is taken")
    if not isinstance(column, Number):
        return []
    said: list[str] = []
    if column.fill is not None:
        missing = np.isnan(table.numbers_or_nan(column.name, column.written, words))
        said += _note(table, column, _rows(missing), f"no value: {column.fill:.6g} is taken, as dataset.missing says")
    if column.std != 1.0:  # of a column that never changed there is no deviation
        far = _rows(np.abs(features[:, 0]) > FAR)
        said += _note(table, column, far, f"a number more than {FAR:g} deviations from what was trained on")
    return said


def _rows(mask: npt.NDArray[np.bool_]) -> list[int]:
    found: list[int] = np.flatnonzero(mask).tolist()
    return found


def _note(table: RawTable, column: Column, rows: Sequence[int], what: str) -> list[str]:
    if not rows:
        return []
    cell = table.columns[column.name][rows[0]]
    return [
        f"{column.name}: {len(rows)} of {len(table)} rows have {what}; the first is {cell!r} ({table.where(rows[0])})"
    ]
