"""What is taken from rows: means and deviations, categories, what stands for a missing value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Literal

import numpy as np

from dlkit.data.dates import PARTS, Order
from dlkit.data.numerals import PLAIN, Numerals
from dlkit.data.tables import RawTable
from dlkit_regression.columns import Category, Date, Number, Scale, Target
from dlkit_regression.encoding import Floats, Indices, date_parts, order
from dlkit_regression.options import FitOn, Missing
from dlkit_regression.splitting import RowParts

ROUNDING = 4
"""Units in the last place by which values may differ that are one value: sums of the same numbers differ so."""
VANISHING = 1e-140
"""A deviation below it may come of squares that are nothing in float64."""


@dataclass(frozen=True)
class Rows:
    """The rows that scales are taken from, those that categories are, and what becomes of missing values."""

    rows: Indices
    categories: Indices
    missing: Missing = "refuse"
    words: Sequence[str] = ()

    @classmethod
    def of(cls, parts: RowParts, fit_on: FitOn, missing: Missing = "refuse", words: Sequence[str] = ()) -> Rows:
        """Training rows alone; as it was done before, scales from what is not test and categories from everything."""
        if fit_on == "train":
            return cls(parts.train, parts.train, missing, words)
        return cls(parts.seen, np.concatenate([parts.seen, parts.test]), missing, words)


def scale(values: Floats) -> tuple[float, float]:
    """Mean and standard deviation of finite values; a deviation of 0 exactly if all are one value but for rounding."""
    low, high = float(values.min()), float(values.max())
    # values.std() of sixty times 20.1 is 4e-15: everything would be divided by that.
    if high - low <= ROUNDING * float(np.spacing(max(abs(low), abs(high)))):
        return low, 0.0
    mean, std = float(values.mean()), float(values.std())
    if std < VANISHING:
        span = high - low
        std = float(((values - low) / span).std()) * span
    return mean, std


def fit_number(table: RawTable, name: str, of: Rows, form: Numerals = PLAIN) -> Number:
    """A number's scale; a constant is only centred."""
    values = table.numbers_or_nan(name, form, of.words)
    found = _scale(table, name, values, of)
    indicator = of.missing == "category" and bool(np.isnan(values).any())
    if of.missing == "category" and not indicator:
        found = replace(found, fill=None)
    return Number(name=name, written=form, indicator=indicator, **asdict(found))


def fit_date(table: RawTable, name: str, of: Rows, order: Order, *, times: bool) -> Date:
    """A scale for each part of a column of dates."""
    parts = PARTS if times else PARTS[:-1]
    values = date_parts(table, name, order, parts, of.words)
    return Date(name=name, order=order, parts={part: _scale(table, name, values[part], of) for part in parts})


def _scale(table: RawTable, name: str, values: Floats, of: Rows) -> Scale:
    missing = np.isnan(values)
    if of.missing == "refuse" and missing.any():
        raise table.missing(int(missing.argmax()), name)
    known = values[of.rows][~missing[of.rows]]
    if not len(known):
        raise table.error(int(of.rows[0]), name, "no row that is trained on has a value: name it in dataset.ignore")
    mean, std = scale(known)
    fills = {"mean": mean, "category": mean, "median": float(np.median(known))}
    return Scale(mean=mean, std=std or 1.0, fill=fills.get(of.missing))


def fit_category(table: RawTable, name: str, of: Rows, unknown: Literal["refuse", "zeros"] = "refuse") -> Category:
    """A category's values, in order; missing is one where it is to be, since no mean of words exists."""
    words = table.words_or_empty(name, of.words)
    found = {words[row] for row in of.categories.tolist()} - {""}
    if "" in words:
        if of.missing in ("refuse", "drop"):
            raise table.missing(words.index(""), name)
        found.add("")
    return Category(name=name, values=sorted(found, key=order), unknown=unknown)


def fit_target(table: RawTable, name: str, unit: str, parts: RowParts, fitted: Rows, form: Numerals = PLAIN) -> Target:
    """The target's mean and standard deviation; DataError if it never changes."""
    values = table.numbers(name, form)
    mean, std = scale(values[fitted.rows])
    if not std:
        where = "is trained on" if scale(values[parts.seen])[1] else "is not test"
        raise table.error(int(fitted.rows[0]), name, f"the target is {mean:.10g} in every row that {where}")
    if not math.isfinite(1 / std):
        raise table.error(int(fitted.rows[0]), name, f"the target changes by {std:g} alone, too little to compute with")
    return Target(name=name, mean=mean, std=std, unit=unit or form.unit)
