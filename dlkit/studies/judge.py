"""Whether one setting is better than another, or only luckier.

Settings are compared over the seeds that both were trained with: the same seed gives the same data order and the same
first weights, so that their difference varies less than either (a paired t-interval); where they share fewer than two,
by Welch's interval. A winner is called only if it is better than every other setting with an interval that leaves 0
out: of equal settings one is called in 5 % of all studies at most, however many there are, since the one that is
called must beat all others at once.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from dlkit.runs.groups import t_quantile

Values = Mapping[int, float]
"""The primary metric by seed."""
MOST_SEEDS = 1000
"""More seeds than that nobody trains to tell two settings apart."""


@dataclass(frozen=True)
class Difference:
    """By how much one setting is better than another: ``mean ± half``, in the metric's unit, over ``n`` values.

    ``half`` is None where the spread is not known. ``more``: so many more seeds would tell at the spread seen; None if
    not even MOST_SEEDS would, or nobody knows.
    """

    mean: float
    half: float | None
    n: int
    paired: bool
    more: int | None = None

    @property
    def decided(self) -> bool:
        """Whether the interval leaves 0 out, above it."""
        return self.half is not None and self.mean > self.half


@dataclass(frozen=True)
class Verdict:
    """``leader`` has the best mean; ``winner`` is it, if that can be defended.

    ``against``: by how much the leader is better than each other setting. ``undecided`` are those that may be as good.
    """

    leader: int | None
    winner: int | None
    against: Mapping[int, Difference]

    @property
    def undecided(self) -> list[int]:
        return [number for number, difference in self.against.items() if not difference.decided]

    @property
    def more(self) -> int | None:
        """Seeds more that would tell the leader from all others, None if that is not known or too many."""
        needed = [self.against[number].more for number in self.undecided]
        known = [count for count in needed if count is not None]
        return max(known) if known and len(known) == len(needed) else None


def judge(settings: Mapping[int, Values], direction: str) -> Verdict:
    """Which of the settings is the best. ``direction`` is ``min`` or ``max``; those without a value take no part."""
    found = {number: values for number, values in settings.items() if values}
    leader = best_of({number: _mean(values.values()) for number, values in found.items()}, direction)
    if leader is None:
        return Verdict(None, None, {})
    sign = -1.0 if direction == "min" else 1.0
    step = grain(value for values in found.values() for value in values.values())
    against = {
        number: difference(found[leader], values, sign, step) for number, values in found.items() if number != leader
    }
    defended = bool(against) and all(one.decided for one in against.values())
    return Verdict(leader, leader if defended else None, against)


def best_of(means: Mapping[int, float], direction: str) -> int | None:
    """The first of the best finite means."""
    finite = {number: mean for number, mean in means.items() if math.isfinite(mean)}
    if not finite:
        return None
    return (min if direction == "min" else max)(finite, key=lambda number: finite[number])


def difference(one: Values, other: Values, sign: float = 1.0, step: float = 0.0) -> Difference:
    """By how much ``one`` is better than ``other``; ``sign`` −1: less is better. ``step``: see ``grain``."""
    shared = sorted(one.keys() & other.keys())
    if len(shared) >= 2:
        pairs = [sign * (one[seed] - other[seed]) for seed in shared]
        mean, spread = _mean(pairs), math.sqrt(_variance(pairs) + _rounding(step))
        half = t_quantile(len(pairs) - 1) * spread / math.sqrt(len(pairs))
        return Difference(mean, half, len(pairs), True, None if mean > half else _more(mean, spread, len(pairs)))
    mean = sign * (_mean(one.values()) - _mean(other.values()))
    if min(len(one), len(other)) < 2:
        return Difference(mean, None, min(len(one), len(other)), bool(shared))
    return _welch(list(one.values()), list(other.values()), mean, step)


def _welch(one: Sequence[float], other: Sequence[float], mean: float, step: float) -> Difference:
    parts = [(_variance(values) + _rounding(step) / 2) / len(values) for values in (one, other)]
    whole = math.fsum(parts)
    sizes = (len(one), len(other))
    degrees = whole**2 / math.fsum(p**2 / (n - 1) for p, n in zip(parts, sizes, strict=True)) if whole else min(sizes)
    half = t_quantile(max(1, math.floor(degrees))) * math.sqrt(whole)
    least = min(sizes)
    more = None if mean > half else _more(mean, math.sqrt(whole * least), least)
    return Difference(mean, half, least, False, more)


def grain(values: Iterable[float]) -> float:
    """The smallest step between values: of an accuracy, one sample. 0 where there are fewer than two values.

    Two differences of one sample each are equal, and by their spread alone would be certain: rounding is part of it.
    """
    there = sorted({value for value in values if math.isfinite(value)})
    gaps = [after - before for before, after in pairwise(there)]
    return min(gaps, default=0.0)


def _rounding(step: float) -> float:
    """The variance that rounding two values to whole steps adds to their difference."""
    return step**2 / 6


def _more(mean: float, spread: float, n: int) -> int | None:
    """How many more pairs would put the interval above 0, if mean and spread stayed what they are."""
    if mean <= 0 or not math.isfinite(spread):
        return None
    # √n grows slowly and the quantile falls: the first n that does is found by walking, a microsecond a step.
    for count in range(n + 1, MOST_SEEDS + 1):
        if t_quantile(count - 1) * spread / math.sqrt(count) < mean:
            return count - n
    return None


def _mean(values: Iterable[float]) -> float:
    there = list(values)
    # Dividing rounds, and equal values would spread by 1e-16.
    return there[0] if len(set(there)) == 1 else math.fsum(there) / len(there)


def _variance(values: Sequence[float]) -> float:
    middle = _mean(values)
    return math.fsum((value - middle) ** 2 for value in values) / (len(values) - 1)
