"""Which rows of a table are trained on, validated on, tested on."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from dlkit.data.division import by_lists, divided, names_of
from dlkit.data.numerals import is_plain
from dlkit.data.parts import PARTS, held_out
from dlkit.data.randomness import rng
from dlkit.data.tables import RawTable
from dlkit.errors import DataError, listed
from dlkit_regression.encoding import Indices
from dlkit_regression.options import FilesConfig, Fractions

FEW = 20
"""Different numbers of a column up to which each is a class of its own; more are divided into tenths."""


@dataclass(frozen=True)
class RowParts:
    """Rows of each split; ``ordered``: in time order. ``test`` may be empty."""

    train: Indices
    val: Indices
    test: Indices
    ordered: bool = False

    @property
    def seen(self) -> Indices:
        """What is not test."""
        return np.concatenate([self.train, self.val])


def without_test(parts: RowParts, config: Fractions) -> list[str]:
    """A note where a test split was asked for, and its share comes to no row."""
    if len(parts.test) or not config.test_fraction:
        return []
    count = len(parts.seen)
    return [f"no test split: dataset.test_fraction = {config.test_fraction:g} of {count} rows comes to none"]


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


def by_config(whole: RawTable, kept: Indices, config: FilesConfig) -> tuple[RowParts, list[str]]:
    """The rows ``kept`` of a table, numbered among themselves, as lists, a column, groups, proportions or shares divide
    them; and notes."""
    table = whole.at(kept)
    if config.lists:
        return _by_lists(whole, kept, config)
    if config.split_column:
        return _by_column(table, config), []
    if config.group or config.stratify:
        parts = _drawn(table, np.arange(len(table)), {"test": config.test_fraction, "val": config.val_fraction}, config)
        return RowParts(parts["train"], parts["val"], parts.get("test", np.arange(0))), []
    parts_ = by_fraction(len(table), config, who=config.path, ordered=config.time_ordered)
    return parts_, without_test(parts_, config)


def _drawn(table: RawTable, rows: Indices, shares: dict[str, float], config: FilesConfig) -> dict[str, Indices]:
    """Some of the rows divided by shares, in groups and proportions as the options say."""
    strata = _classes(table, config.stratify)[rows].tolist() if config.stratify else None
    words = table.words(config.group) if config.group else []
    groups: list[Hashable] | None = [words[row] for row in rows.tolist()] if config.group else None
    found = divided(len(rows), shares, config.split_seed, strata=strata, groups=groups, who=config.path)
    return {part: rows[chosen] for part, chosen in found.items()}


def _classes(table: RawTable, name: str) -> Indices:
    """A column as classes: its words, or numbers of which there are many by tenths."""
    words = table.words_or_empty(name)
    values, classes = np.unique(words, return_inverse=True)
    if len(values) <= FEW or not all(map(is_plain, values)):
        return classes.astype(np.int64)
    ranks = np.argsort(np.argsort(np.array(words, np.float64), kind="stable"), kind="stable")
    return (ranks * 10 // len(words)).astype(np.int64)


def _by_lists(whole: RawTable, kept: Indices, config: FilesConfig) -> tuple[RowParts, list[str]]:
    # Lists name the rows of the file: those that are left out for a missing value keep their numbers.
    cells = whole.words(config.id_column) if config.id_column else [str(i) for i in range(1, len(whole) + 1)]
    found = by_lists(config.lists, names_of([cell] for cell in cells), "row")
    if found.problems:
        raise DataError(listed(f"{len(found.problems)} lines of the lists name no row", found.problems))
    notes = [f"{found.left} of {len(whole)} rows are in no list and left out"] if found.left else []
    place = np.full(len(whole), -1)
    place[kept] = np.arange(len(kept))
    parts = {part: place[rows][place[rows] >= 0] for part, rows in found.parts.items()}
    return _complete(whole.at(kept), parts, config), notes


def _by_column(table: RawTable, config: FilesConfig) -> RowParts:
    words = table.words(config.split_column)
    parts_of = {name: part for part, names in PARTS.items() for name in names}
    odd = next((row for row, word in enumerate(words) if word.lower() not in parts_of), None)
    if odd is not None:
        raise table.error(odd, config.split_column, f"{words[odd]!r} is none of {', '.join(parts_of)}")
    parts = np.array([parts_of[word.lower()] for word in words])
    return _complete(table, {part: np.flatnonzero(parts == part) for part in PARTS}, config)


def _complete(table: RawTable, parts: dict[str, Indices], config: FilesConfig) -> RowParts:
    """With a validation part drawn from the training rows where none is given."""
    if not len(parts.get("val", ())) and len(parts["train"]) > 1:
        parts = {**parts, **_drawn(table, parts["train"], {"val": config.val_fraction}, config)}
    empty: Sequence[str] = [part for part in ("train", "val") if not len(parts.get(part, ()))]
    if empty:
        raise DataError(f"{config.path}: no row is left for {' and '.join(empty)}")
    return RowParts(parts["train"], parts["val"], parts.get("test", np.arange(0)))
