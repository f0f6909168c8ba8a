"""Your own points: a CSV file with two columns of numbers and a label."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dlkit.data.context import Context
from dlkit.data.numerals import PLAIN, Numerals, guess
from dlkit.data.splits import Data
from dlkit.data.tables import RawTable, read_csv
from dlkit.errors import DataError, UsageError, nearest
from dlkit_points.options import MOST_CLASSES, FilesConfig
from dlkit_points.storage import Axes, Floats, Labelled, as_data, divided_by_shares


def build(config: FilesConfig, context: Context) -> Data:
    table = read_csv(Path(config.path), config.delimiter, config.encoding)
    x, y, label = _chosen(table, config)
    table, notes = _whole(table, [x, y, label], config)
    points = np.stack([table.numbers(name, _form(table, name)) for name in (x, y)], 1)
    words = table.words(label)
    classes = sorted(set(words))
    _check_classes(classes, label, config)
    labels = np.array([classes.index(word) for word in words], np.int64)
    parts = divided_by_shares(
        Labelled(points, labels), config.val_fraction, config.test_fraction, config.split_seed, "rows"
    )
    said = [f"{x} across, {y} upwards, {label} is the class: {', '.join(classes)}", *table.notes, *notes]
    more = {"delimiter": table.delimiter, "encoding": config.encoding}
    return as_data(classes, parts, _axes((x, y), parts["train"].points, config), said, more)


def _chosen(table: RawTable, config: FilesConfig) -> tuple[str, str, str]:
    """The columns of x, y and the label; UsageError names one that is not there, DataError what is missing."""
    names = list(table.columns)
    for option in ("x", "y", "label"):
        name = getattr(config, option)
        if name and name not in names:
            raise UsageError(f"dataset.{option}: no column {name!r} in {config.path}; {nearest(name, names)}")
    label = config.label or next((n for n in reversed(names) if n not in (config.x, config.y)), "")
    taken = [name for name in (config.x, config.y, label) if name]
    if len(set(taken)) < len(taken):
        raise UsageError(f"dataset.x, dataset.y and dataset.label name three columns, not {', '.join(taken)}")
    free = (n for n in names if n not in taken and _is_numbers(table, n))
    x, y = config.x or next(free, ""), config.y or next(free, "")
    if not (x and y and label):
        needed = "two columns of numbers and one of labels"
        raise DataError(f"{config.path}: {needed} are needed; its columns are: {', '.join(names) or 'none'}")
    return x, y, label


def _is_numbers(table: RawTable, name: str) -> bool:
    cells = [cell for cell in table.words_or_empty(name) if cell]
    return bool(cells) and guess(cells).numbers == len(cells)


def _form(table: RawTable, name: str) -> Numerals:
    """How a column's numbers are written: decimal points or commas, as all of its cells show."""
    found = guess([cell for cell in table.words_or_empty(name) if cell])
    return found.form if found.numbers else PLAIN


def _whole(table: RawTable, names: list[str], config: FilesConfig) -> tuple[RawTable, list[str]]:
    """The rows that have all three; DataError names the first that has not, unless they are to be dropped."""
    cells = {name: table.words_or_empty(name) for name in names}
    lacking = {row: name for name in reversed(names) for row, cell in enumerate(cells[name]) if not cell}
    if not lacking:
        return table, []
    first = min(lacking)
    if config.missing == "refuse":
        raise table.missing(first, lacking[first], "; dataset.missing = drop leaves such rows out")
    kept = np.array([row for row in range(len(table)) if row not in lacking], np.int64)
    where = f"{table.where(first)}, column {lacking[first]!r}"
    return table.at(kept), [f"{len(lacking)} rows with an empty cell are left out; the first: {where}"]


def _check_classes(classes: list[str], label: str, config: FilesConfig) -> None:
    if len(classes) < 2:
        raise DataError(f"{config.path}, column {label!r}: one class only ({classes[0]}); two at least are needed")
    if len(classes) > MOST_CLASSES:
        some = ", ".join(classes[:5])
        what = f"{len(classes)} classes ({some}, …); a picture has colours for {MOST_CLASSES}"
        raise DataError(f"{config.path}, column {label!r}: {what}; dataset.label names another column")


def _axes(names: tuple[str, str], points: Floats, config: FilesConfig) -> Axes:
    """Scales of the training points: (number − mean) / deviation."""
    (x, y), (a, b) = points.mean(0).tolist(), points.std(0).tolist()
    for name, deviation in zip(names, (a, b), strict=True):
        if not deviation > 0:
            raise DataError(f"{config.path}, column {name!r}: all training rows have the same number")
    return Axes(names, (x, y), (a, b))
