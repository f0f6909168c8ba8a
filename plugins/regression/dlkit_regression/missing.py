"""What becomes of rows with a missing value, and of numbers that are only marks of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from dlkit.data.cells import means_missing
from dlkit.data.tables import RawTable
from dlkit.errors import DataError
from dlkit_regression.encoding import Indices
from dlkit_regression.kinds import Dates, Kinds, Numbers, Words
from dlkit_regression.options import FilesConfig
from dlkit_regression.outliers import looked_for

Mask = npt.NDArray[np.bool_]


def settled(table: RawTable, kinds: Kinds, target: str, config: FilesConfig) -> tuple[Indices, list[str]]:
    """The rows that are used, and notes of those left out or to be filled. DataError for the first missing value where
    ``dataset.missing`` refuses it, and for a number beside which all others are one."""
    words = config.missing_words
    notes: list[str] = []
    absent: dict[str, Mask] = {}
    for name, kind in kinds.of.items():
        if isinstance(kind, Numbers):
            values = table.numbers_or_nan(name, kind.form, words)
            notes += looked_for(table, name, values, refuse=config.outliers == "refuse")
            absent[name] = np.isnan(values)
        else:
            absent[name] = _absent(table, name, kind, words)
    some = {name: mask for name, mask in absent.items() if mask.any()}
    if not some:
        return np.arange(len(table)), notes
    if config.missing == "refuse":
        raise _refused(table, *next(iter(some.items())))
    return _without(table, some, target, config, notes)


def _absent(table: RawTable, name: str, kind: Dates | Words, words: Sequence[str]) -> Mask:
    if isinstance(kind, Dates):
        return np.array([means_missing(cell, words) for cell in table.columns[name]])
    return np.array([word == "" for word in table.words_or_empty(name, words)])


def _refused(table: RawTable, name: str, mask: Mask) -> DataError:
    count = int(mask.sum())
    several = f"; {count} of {len(mask)} cells of the column are missing" if count > 1 else ""
    advice = "dataset.missing = drop leaves such rows out; mean, median and category fill them"
    return table.missing(int(mask.argmax()), name, f"{several}; {advice}")


def _without(
    table: RawTable, absent: Mapping[str, Mask], target: str, config: FilesConfig, notes: Sequence[str]
) -> tuple[Indices, list[str]]:
    # A target that was made up would be learnt as if it were true.
    lacking = absent if config.missing == "drop" else {name: mask for name, mask in absent.items() if name == target}
    gone = np.logical_or.reduce([*lacking.values(), np.zeros(len(table), bool)])
    said = [*notes]
    if gone.any():
        counts = ", ".join(f"{name} {int(mask.sum())}" for name, mask in lacking.items())
        where = table.where(int(gone.argmax()))
        said.append(
            f"{int(gone.sum())} of {len(table)} rows with a missing value are left out, such as {where}: {counts}"
        )
    filled = {name: mask for name, mask in absent.items() if name not in lacking}
    if filled:
        counts = ", ".join(f"{name} {int(mask.sum())}" for name, mask in filled.items())
        name, mask = next(iter(filled.items()))
        first = f"{name!r} on {table.where(int(mask.argmax()))}"
        said.append(f"missing values are filled by {_filling(config)}: {counts}, such as {first}")
    if gone.all():
        raise DataError(f"{config.path}: every row has a missing value: {', '.join(lacking)}")
    return np.flatnonzero(~gone), said


def _filling(config: FilesConfig) -> str:
    what = "median" if config.missing == "median" else "mean"
    more = ", and a feature says so" if config.missing == "category" else ""
    return f"the {what} of the training rows{more} (words: by a value of their own)"
