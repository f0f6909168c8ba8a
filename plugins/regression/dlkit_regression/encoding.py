"""From raw columns to features and back: the one way, for data sets and for predictions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from dlkit.data import dates
from dlkit.data.cells import as_number, is_empty, means_missing, plain_word
from dlkit.data.tables import RawTable
from dlkit_regression.columns import Category, Column, Date, Number, Scale, Target, feature_names

if TYPE_CHECKING:
    from torch import Tensor

Floats = npt.NDArray[np.float64]
Encoded = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]
OTHER = "(other)"
"""A category that no training row has, where one is shown."""


def encode(columns: Sequence[Column], table: RawTable, words: Sequence[str] = (), *, training: bool = False) -> Encoded:
    """A table's rows as features [N,F]; DataError names row and column of a value that cannot be one.

    ``words`` stand for missing values. ``training``: categories that no training row has are none of the known, and
    the caller says so.
    """
    parts = [_encoded(column, table, words, training) for column in columns]
    return np.concatenate(parts, axis=1, dtype=np.float32)


def _encoded(column: Column, table: RawTable, words: Sequence[str], training: bool) -> Encoded:
    if isinstance(column, Category):
        return _one_hot(column, table, words, training)
    if isinstance(column, Date):
        values = date_parts(table, column.name, column.order, list(column.parts), words)
        return np.concatenate(
            [_scaled(column.name, scale, table, values[part]) for part, scale in column.parts.items()], axis=1
        )
    numbers = table.numbers_or_nan(column.name, column.written, words)
    found = _scaled(column.name, column, table, numbers)
    return np.column_stack([found, np.isnan(numbers)]).astype(np.float32) if column.indicator else found


def standardised(values: Floats, mean: float, std: float) -> Encoded:
    """[N] → [N,1]."""
    return ((values - mean) / std).astype(np.float32)[:, None]


def _scaled(name: str, scale: Scale, table: RawTable, values: Floats) -> Encoded:
    missing = np.isnan(values)
    if missing.any():
        if scale.fill is None:
            raise table.missing(int(missing.argmax()), name)
        values = np.where(missing, scale.fill, values)
    return standardised(values, scale.mean, scale.std)


def date_parts(
    table: RawTable, name: str, order: dates.Order, parts: Sequence[str], words: Sequence[str] = ()
) -> dict[str, Floats]:
    """The parts of a column's dates [N], NaN where there is none; DataError names what is no date."""
    found: list[dates.Moment | None] = []
    for row, cell in enumerate(table.columns[name]):
        moment = None if means_missing(cell, words) else dates.read(str(cell), order)
        if moment is None and not means_missing(cell, words):
            way = {"ymd": "as 2023-12-31", "dmy": "with the day first", "mdy": "with the month first"}[order]
            raise table.error(row, name, f"{repr(cell)[:80]} is not a date {way}")
        found.append(moment)
    return {part: np.array([math.nan if m is None else m.part(part) for m in found], np.float64) for part in parts}


def unknown(column: Category, table: RawTable, words: Sequence[str] = ()) -> list[int]:
    """The rows whose value is none of the category's."""
    return [row for row, place in enumerate(_places(column, table, words)) if place < 0]


def _one_hot(column: Category, table: RawTable, words: Sequence[str], training: bool) -> Encoded:
    found = _places(column, table, words)
    if -1 in found and not (training or column.unknown == "zeros"):
        bad = found.index(-1)
        cell = table.columns[column.name][bad]
        if is_empty(cell):
            raise table.missing(bad, column.name)
        raise table.error(bad, column.name, f"{str(cell)!r} is not one of {', '.join(_shown(column.values))}")
    # A last row of zeros, which −1 is.
    return np.eye(len(column.values) + 1, len(column.values), dtype=np.float32)[found]


def _places(column: Category, table: RawTable, words: Sequence[str]) -> list[int]:
    places = {value: place for place, value in enumerate(column.values)}
    cells = table.words_or_empty(column.name, words)
    return [places.get(word, places.get(plain_word(word), -1)) for word in cells]


def decode_row(columns: Sequence[Column], features: Tensor) -> list[str]:
    """A row's features [F], float64, back as the values they were made of, as text that can be read again."""
    cells: list[str] = []
    first = 0
    for column in columns:
        width = len(feature_names(column))
        cells.append(_decoded(column, features[first : first + width].tolist()))
        first += width
    return cells


def _decoded(column: Column, features: Sequence[float]) -> str:
    if isinstance(column, Category):
        return column.values[int(np.argmax(features))] if max(features) else OTHER
    if isinstance(column, Number):
        return "" if column.indicator and features[1] else shown(column, features[0], column.written.unit)
    values = [f * scale.std + scale.mean for f, scale in zip(features, column.parts.values(), strict=True)]
    parts = {part: round(value) for part, value in zip(column.parts, values, strict=True)}
    day = f"{parts['year']:04}-{parts['month']:02}-{parts['day']:02}"
    return f"{day} {parts['hour']:02}:00" if "hour" in parts else day


def typical(column: Column) -> str:
    """A value of a column without the data: the mean of numbers, the first category, about the middle of the dates."""
    if isinstance(column, Category):
        return column.values[0]
    if isinstance(column, Date):
        parts = {part: round(scale.mean) for part, scale in column.parts.items()}
        return f"{parts['year']:04}-{parts['month']:02}-{min(parts['day'], 28):02}"
    return f"{column.mean:.6g}{_shown_unit(column.written.unit)}"


def _shown_unit(unit: str) -> str:
    """A per cent sign is part of the number; other units may be left out, or are in a note."""
    return unit if unit in ("%", "‰") else ""


def shown(scale: Scale | Target, feature: float, unit: str = "") -> str:
    """A standardised value in its own unit, with the digits that float32 has kept of it."""
    value = feature * scale.std + scale.mean
    # 151 for 151.00000342, 5.12e-07 for 5.1199997e-07, and all digits of a year or a time stamp.
    resolution = scale.std * float(np.spacing(np.float32(abs(feature))))
    if resolution > 0:
        value = round(value, math.ceil(-math.log10(resolution)) - 1) + 0.0  # not −0
    return f"{value:.12g}{_shown_unit(unit)}"


def order(value: str) -> tuple[bool, float, str]:
    """Of a category's values: numbers by size, words by the alphabet."""
    number = as_number(value)
    return number is None, number or 0.0, value


def _shown(values: Sequence[str], most: int = 20) -> Iterable[str]:
    named = [value or "(missing)" for value in values]
    return named if len(named) <= most else [*named[:most], f"… ({len(named)} in all)"]
