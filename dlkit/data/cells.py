"""Values as somebody gave them: text of a file, numbers, whatever a caller passed; and what they may mean."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from dlkit.data.numerals import PLAIN, Numerals, is_plain, read

Cell = object
"""A value that is not checked yet."""
LARGEST = 1e100
"""Of a number that is taken: sums of squares of a billion such are finite."""
MISSING = frozenset(
    [
        *("na", "n/a", "n.a.", "n.a", "#n/a", "#na", "nan", "-nan", "null", "(null)", "none", "nil", "<na>", "missing"),
        *("-", "--", "---", "–", "—", "?", ".", "..", "-1.#ind", "1.#ind", "-1.#qnan", "1.#qnan"),
        *("#div/0!", "#value!", "#ref!", "#name?", "#num!", "#null!"),
    ]
)
"""What stands for no number, in small letters. Among words they are words: NA is Namibia too."""


def is_empty(value: Cell) -> bool:
    """Whether a cell holds nothing."""
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value))


def means_missing(value: Cell, words: Sequence[str] = ()) -> bool:
    """Whether a cell of a column of numbers says that there is none."""
    if is_empty(value) or (words and is_one_of(value, tuple(words))):
        return True
    # Among numbers alone: a column of words may have a country NA, or a garage of the kind "none".
    return isinstance(value, str) and value.strip().lower() in MISSING


def is_one_of(value: Cell, words: tuple[str, ...]) -> bool:
    """Whether a cell is one of the words, or a number that one of them is."""
    if value in words:
        return True
    numbers = numbers_in(words)
    return bool(numbers) and _float(value) in numbers


@cache
def numbers_in(words: tuple[str, ...]) -> frozenset[float]:
    """The numbers among words: -9999 in an option means -9999.0 in a file too, and 1e+20 is 1e20."""
    return frozenset(float(word) for word in words if is_plain(word))


def as_number(value: Cell, form: Numerals = PLAIN, *, typed: bool = False) -> float | None:
    """A number of at most ±LARGEST, or None for what is not one."""
    number = _float(value, form, typed)
    return number if number is not None and abs(number) <= LARGEST else None


def _float(value: Cell, form: Numerals = PLAIN, typed: bool = False) -> float | None:
    if isinstance(value, str):
        return read(value, form, typed=typed)
    try:
        return float(value)  # type: ignore[arg-type]  # what it refuses is not a number
    except (TypeError, ValueError, OverflowError):
        return None


def not_a_number(value: Cell, form: Numerals = PLAIN) -> str:
    """What is said of a cell that ``as_number`` does not take."""
    bounds = "" if _float(value, form) is None else f" up to {LARGEST:g}"
    written = "" if form.plain else f" with {form.described}"
    return f"{repr(value)[:80]} is not a number{bounds}{written}"


def as_word(value: Cell) -> str:
    return str(int(value)) if isinstance(value, (bool, float)) and float(value).is_integer() else str(value).strip()


def plain_word(word: str) -> str:
    """``8`` for ``8.0`` and ``08``, as other tools write it."""
    number = as_number(word) if is_plain(word) else None
    return word if number is None else as_word(number)


def all_plain(values: Sequence[Cell]) -> npt.NDArray[np.float64] | None:
    """A column [N] whose every cell is text that programs would write for a number up to ±LARGEST; else None."""
    # Nearly every column of numbers: 0.1 µs a cell, where one by one they take 2.
    if not all(type(value) is str for value in values):
        return None
    try:
        found = np.fromiter(map(float, values), np.float64, len(values))  # type: ignore[arg-type]  # text, as was seen
    except ValueError:
        return None
    if not (np.abs(found) <= LARGEST).all() or any("_" in value for value in values):  # type: ignore[operator]
        return None
    found.flags.writeable = False
    return found
