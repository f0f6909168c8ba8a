"""Where an option's values lie on a line from 0 to 1: numbers by their size, names one after another."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dlkit.json_types import Settings
from dlkit.present.numbers import number
from dlkit.studies.wording import shown

WIDE = 30
"""Numbers above 0 that lie so many times apart are spread by powers of ten."""
MOST_GROUPS = 6
"""Different numbers that are a group each; of more, quarters of them are."""


@dataclass(frozen=True)
class Scale:
    """Of one option's values: from ``low`` to ``high``, or in their logarithm; ``names``, where they are no numbers, in
    the order they came in, as people read them (``low`` and ``high`` mean nothing then)."""

    key: str
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    names: Sequence[str] = ()

    def place(self, value: object) -> float | None:
        """0 to 1; None: it lies nowhere, as a number that is not finite."""
        if self.names:
            text = shown(value)
            return self._part(self.names.index(text), len(self.names) - 1) if text in self.names else None
        if not is_number(value) or not math.isfinite(x := float(str(value))):
            return None
        return self._part(*(self._up(end) - self._up(self.low) for end in (x, self.high)))

    def ticks(self) -> list[tuple[float, str]]:
        """What is written beside it, and where."""
        if self.names:
            return [(self.place(name) or 0.0, name) for name in self.names]
        ends = [self.low] if self.low == self.high else [self.low, self.high]
        return [(self.place(end) or 0.0, number(end)) for end in ends]

    def _up(self, value: float) -> float:
        return math.log10(value) if self.log else value

    @staticmethod
    def _part(part: float, whole: float) -> float:
        return part / whole if whole else 0.5


def scale_of(key: str, values: Iterable[object]) -> Scale:
    """The scale on which all these have a place."""
    there = list(values)
    numbers = [float(str(value)) for value in there if is_number(value)]
    if len(numbers) < len(there) or not numbers:
        return Scale(key, names=list(dict.fromkeys(map(shown, there))))
    finite = [value for value in numbers if math.isfinite(value)] or [0.0]
    low, high = min(finite), max(finite)
    return Scale(key, low, high, log=low > 0 and high / low >= WIDE)


def values_of(key: str, settings: Iterable[Settings]) -> list[object]:
    """An option's values in those that have it."""
    return [values[key] for values in settings if key in values]


def is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def grouped(values: Sequence[object]) -> list[str]:
    """A group's name for each value; of many different numbers, quarters are taken together."""
    numbers = sorted({float(str(value)) for value in values if is_number(value)})
    if len(numbers) <= MOST_GROUPS:
        return [shown(value) for value in values]
    starts = [numbers[len(numbers) * part // 4] for part in range(4)]
    ends = [numbers[len(numbers) * (part + 1) // 4 - 1] for part in range(4)]
    names = [f"{number(low)} to {number(high)}" for low, high in zip(starts, ends, strict=True)]
    return [
        names[sum(float(str(value)) >= start for start in starts) - 1] if is_number(value) else shown(value)
        for value in values
    ]
