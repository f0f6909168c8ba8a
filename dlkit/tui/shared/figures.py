"""Figures over time as charts of blocks, one below the other: what a machine, or a job on it, uses."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

from rich.text import Text

from dlkit.present.sparkline import bars

SECONDS = 600.0
"""What is looked at, at most."""
LEAST_SECONDS = 60.0


class Timed(Protocol):
    """A measurement at some moment, UTC seconds."""

    @property
    def time(self) -> float: ...


S = TypeVar("S", bound=Timed)
Value = Callable[[S], float | None]


class Figure(NamedTuple, Generic[S]):
    """One chart: ``value`` of a sample (None: not known), ``top`` of the scale (0: the highest value), and its unit."""

    title: str
    value: Value[S]
    words: Callable[[float], str]
    top: float = 0.0


def span_of(samples: Sequence[Timed]) -> float:
    """Seconds that charts of these cover."""
    return min(SECONDS, max(LEAST_SECONDS, samples[-1].time - samples[0].time))


def chart(figure: Figure[S], samples: Sequence[S], size: tuple[int, int], moment: str) -> Text:
    """So many cells and lines, with a line over it that has the figures; empty where nothing is known. ``moment`` is
    when the newest was."""
    width, height = size
    known = [v for v in map(figure.value, samples) if v is not None]
    if not known:
        return Text()
    top = figure.top if 0 < max(known) <= figure.top else rounded_up(max(known))
    now = figure.value(samples[-1])
    present = figure.words(now) if now is not None else "not known"
    text = Text.assemble((f"\n{figure.title}  ", "bold"))
    text.append(f"{present} {moment}, highest {figure.words(max(known))}, scale 0 to {figure.words(top)}\n")
    for line in bars(per_column(samples, figure.value, width, span_of(samples)), 0.0, top, height):
        text.append(f"{line}\n", style="cyan")
    return text


def axis(samples: Sequence[Timed], width: int, moment: str) -> Text:
    """The line below charts: how long ago, and when."""
    return Text(f"{f'−{span_of(samples) / 60:.0f} min':<{width - len(moment)}}{moment}", "dim")


def per_column(samples: Sequence[S], value: Value[S], width: int, span: float) -> list[float | None]:
    """The highest value in each of ``width`` equal parts of the last ``span`` seconds; between two samples the earlier
    one's holds for up to three seconds, or a part."""
    end, each = samples[-1].time, span / width
    columns: list[float | None] = [None] * width
    for sample in samples:
        found = value(sample)
        place = width - 1 - int((end - sample.time) / each)
        if found is not None and 0 <= place < width:
            before = columns[place]
            columns[place] = found if before is None else max(before, found)
    reach = math.ceil(3.0 / each)
    for place in range(width - 1, 0, -1):
        if columns[place] is None:
            near = (columns[i] for i in range(place - 1, max(-1, place - 1 - reach), -1))
            columns[place] = next((found for found in near if found is not None), None)
    return columns


def rounded_up(value: float) -> float:
    """The next of 1, 2, 5, 10, 20 …; 1 for nothing."""
    if not 0 < value < math.inf:
        return 1.0
    power: float = 10.0 ** math.floor(math.log10(value))
    return next(power * step for step in (1.0, 2.0, 5.0, 10.0) if value <= power * step * (1 + 1e-9))
