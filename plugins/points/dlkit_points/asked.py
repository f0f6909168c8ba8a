"""Points that are asked about, as people write them; no torch: an exported model reads them the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import SupportsFloat

import numpy as np
import numpy.typing as npt

from dlkit.data.tables import Reading, read_like
from dlkit.errors import DataError
from dlkit.question_schema import text_of

Point = tuple[float, float]


@dataclass(frozen=True)
class Asked:
    """Reads points by the names of the ``axes``; ``mean`` and ``std`` bring them to what the model saw; files are read
    as the training points' was."""

    axes: tuple[str, str]
    mean: tuple[float, float]
    std: tuple[float, float]
    reading: Reading

    def read(self, words: Sequence[str]) -> list[Point]:
        """The points of the words and files given; DataError names what is none."""
        found: list[Point] = []
        for word in words:
            found += self._of_file(Path(word)) if _is_file(word) else [self.accept(word)]
        return found

    def accept(self, value: object) -> Point:
        """A point: a pair of numbers, an object of both by name, or text as ``x,y``."""
        if isinstance(value, (str, bytes)):
            text = text_of(value, "a point")
            return self._numbers(text.replace(";", ",").split(","), repr(text))
        return self.point(value, 1)

    def point(self, value: object, number: int) -> Point:
        """A pair, or a mapping by the axes' names; ``number`` stands in the error."""
        axes = self.axes
        if isinstance(value, Mapping):
            missing = [name for name in axes if name not in value]
            if missing:
                raise DataError(f"point {number} lacks {', '.join(missing)}; it needs {axes[0]} and {axes[1]}")
            value = [value[name] for name in axes]
        if isinstance(value, (str, bytes)) or not isinstance(value, (Sequence, np.ndarray)):
            raise DataError(
                f"point {number}: {value!r} is neither a pair of numbers nor a mapping of {axes[0]}, {axes[1]}"
            )
        return self._numbers(list(value), f"point {number}")

    def points(self, values: Sequence[object]) -> list[Point]:
        """Each of them."""
        return [self.point(value, number) for number, value in enumerate(values, 1)]

    def seen(self, points: Sequence[Point]) -> npt.NDArray[np.float32]:
        """Points as the model sees them, [N,2]."""
        own = np.array(points, np.float64).reshape(-1, 2)
        scaled: npt.NDArray[np.float32] = ((own - np.asarray(self.mean)) / np.asarray(self.std)).astype(np.float32)
        return scaled

    def _of_file(self, path: Path) -> list[Point]:
        table = read_like(path, self.reading, self.axes)
        x, y = (table.numbers(name).tolist() for name in self.axes)
        return list(zip(x, y, strict=True))

    def _numbers(self, parts: Sequence[SupportsFloat | str], who: str) -> Point:
        if len(parts) != 2:
            raise DataError(f"{who} is not a point: {','.join(self.axes)} are two numbers, such as 0.5,-0.2")
        try:
            x, y = (float(part) for part in parts)
        except (TypeError, ValueError, OverflowError):
            raise DataError(f"{who} is not a point: give two numbers, such as 0.5,-0.2") from None
        if not (np.isfinite(x) and np.isfinite(y)):
            raise DataError(f"{who}: a point's numbers are finite")
        return x, y


def _is_file(word: str) -> bool:
    return Path(word).is_file() or word.lower().endswith((".csv", ".tsv", ".txt"))
