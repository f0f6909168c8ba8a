"""From raw columns to features and back: the one way, for data sets and for predictions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
from torch import Tensor

from dlkit.data.tables import RawTable, as_number, as_word
from dlkit_regression.info import Category, Feature, Number

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
MAX_VALUES = 256
"""Different values that a column of text may have; one with more is a name or a date, not a category."""


def encode(columns: Sequence[Feature], table: RawTable) -> npt.NDArray[np.float32]:
    """A table's rows as features [N,F]; DataError names row and column of a value that cannot be one."""
    parts = [_one_hot(c, table) if isinstance(c, Category) else _scaled(c, table) for c in columns]
    return np.concatenate(parts, axis=1, dtype=np.float32)


def decode_row(columns: Sequence[Feature], features: Tensor) -> list[str | float]:
    """A row's features [F], float64, back as the values they were made of."""
    cells: list[str | float] = []
    first = 0
    for column in columns:
        if isinstance(column, Category):
            cells.append(column.values[int(features[first : first + len(column.values)].argmax())])
            first += len(column.values)
        else:
            cells.append(round(float(features[first]) * column.std + column.mean, 4))
            first += 1
    return cells


def fit_number(table: RawTable, name: str, rows: Indices) -> Number:
    """A number's scale, from the rows that are not test; a constant is only centred."""
    values = table.numbers(name)[rows]
    return Number(name=name, mean=float(values.mean()), std=float(values.std()) or 1.0)


def fit_category(table: RawTable, name: str) -> Category:
    """A category's values, in order: numbers by size, words by the alphabet."""
    return Category(name=name, values=sorted(set(table.words(name)), key=_order))


def fit_column(table: RawTable, name: str, rows: Indices) -> Number | Category:
    """What a column of unknown content is: numbers if half of its cells are (then all must be), else words."""
    cells = table.columns[name]
    numbers = sum(as_number(cell) is not None for cell in cells)
    if 2 * numbers >= len(cells):
        return fit_number(table, name, rows)
    found = fit_category(table, name)
    if len(found.values) > MAX_VALUES:
        what = f"text with {len(found.values)} different values, more than {MAX_VALUES}: name it in dataset.ignore"
        raise table.error(0, name, what)
    return found


def standardised(values: Floats, mean: float, std: float) -> npt.NDArray[np.float32]:
    """[N] → [N,1]."""
    return ((values - mean) / std).astype(np.float32)[:, None]


def _scaled(column: Number, table: RawTable) -> npt.NDArray[np.float32]:
    return standardised(table.numbers(column.name), column.mean, column.std)


def _one_hot(column: Category, table: RawTable) -> npt.NDArray[np.float32]:
    words = table.words(column.name)
    places = {value: place for place, value in enumerate(column.values)}
    found = [places.get(word, places.get(_plain(word), -1)) for word in words]
    if -1 in found:
        bad = found.index(-1)
        raise table.error(bad, column.name, f"{words[bad]!r} is not one of {', '.join(_shown(column.values))}")
    return np.eye(len(places), dtype=np.float32)[found]


def _plain(word: str) -> str:
    """``8`` for ``8.0`` and ``08``, as other tools write it."""
    number = as_number(word)
    return word if number is None else as_word(number)


def _order(value: str) -> tuple[bool, float, str]:
    number = as_number(value)
    return number is None, number or 0.0, value


def _shown(values: Sequence[str], most: int = 20) -> Iterable[str]:
    return values if len(values) <= most else [*values[:most], f"… ({len(values)} in all)"]
