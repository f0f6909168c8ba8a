"""Word vectors in word2vec's text format: a line with their number and size, then a word and its numbers a line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dlkit.errors import DataError

Vector = npt.NDArray[np.float32]
_NUMBER = re.compile(r"[0-9]{1,12}\Z")
_LONGEST_HEAD = 100
"""Characters of the first line that are read: two numbers. A file without line ends has no other."""


def read_vectors(path: Path) -> Iterator[tuple[str, Vector]]:
    """The words of a file and their vectors, float32 [size]. DataError names file and line of what is not so."""
    try:
        with path.open(encoding="utf-8") as lines:
            # A line at a time: published files have millions of words, of which a run wants some thousands.
            size = _head(path, lines.readline(_LONGEST_HEAD))[1]
            for number, line in enumerate(lines, 2):
                if line.strip():
                    yield _vector(path, number, line, size)
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: {error}") from error


def vectors_size(path: Path) -> int:
    """Numbers of each vector in a file, as its first line says. DataError: it does not say."""
    try:
        with path.open(encoding="utf-8") as lines:
            return _head(path, lines.readline(_LONGEST_HEAD))[1]
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: {error}") from error


def write_vectors(path: Path, words: Sequence[str], vectors: npt.NDArray[np.floating]) -> None:
    """Write vectors [words, size]; float32 survives the round trip exactly. No word may hold white space."""
    with path.open("w", encoding="utf-8") as file:
        file.write(f"{len(words)} {vectors.shape[1]}\n")
        for word, vector in zip(words, np.asarray(vectors, np.float32), strict=True):
            # NumPy's shortest decimal of a float32 that reads back as the same float32.
            file.write(f"{word} {' '.join(map(str, vector))}\n")


def _head(path: Path, line: str) -> tuple[int, int]:
    head = line.split()
    if len(head) != 2 or not all(_NUMBER.match(word) for word in head) or not int(head[1]):
        raise DataError(f"{path}: line 1: must be the number of words and the size of their vectors, not {line[:40]!r}")
    return int(head[0]), int(head[1])


def _vector(path: Path, number: int, line: str, size: int) -> tuple[str, Vector]:
    line = line.rstrip("\n").rstrip(" ")
    # Counted before they are taken apart, which needs thirty times the memory of a line.
    if (count := line.count(" ")) != size:
        raise DataError(f"{path}: line {number}: {count} numbers after {line.partition(' ')[0][:40]!r}, not {size}")
    word, *values = line.split(" ")
    try:
        with np.errstate(over="ignore"):
            vector = np.array(values, np.float32)
    except ValueError as error:
        raise DataError(f"{path}: line {number}: {error}") from error
    return word, vector
