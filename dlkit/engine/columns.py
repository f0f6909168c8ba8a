"""Per-step metrics between two flushes: kept where they are, read from the device once, written as columns."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import cast

import torch
from torch import Tensor

from dlkit.engine.distributed import World
from dlkit.engine.trainer import Values
from dlkit.errors import PluginError, RunError


@dataclass(frozen=True)
class Columns:
    """Metrics that were measured at the same steps: value i of each list belongs to step ``first + i * every``."""

    first: int
    every: int
    count: int
    values: dict[str, list[float]]


class NonFiniteMetric(RunError):
    """A metric became NaN or infinite at ``step`` (counted from 1)."""

    def __init__(self, metric: str, value: float, step: int) -> None:
        super().__init__(f"{metric} became {value} at step {step}")
        self.metric, self.value, self.step = metric, value, step


def columns(rows: Sequence[Values], first: int) -> Iterator[Columns]:
    """The rows of consecutive steps, the first being ``first``, as columns; metrics that share steps share columns."""
    by_name: dict[str, tuple[list[int], list[Tensor | float]]] = {}
    for step, row in enumerate(rows, first):
        for name, value in row.items():
            if name not in by_name:
                by_name[name] = [], []
            steps, values = by_name[name]
            steps.append(step)
            values.append(value)
    # A metric that is missing from some steps (a generator's loss, if it has every other turn) has columns of its own.
    groups: dict[tuple[int, ...], dict[str, list[float]]] = {}
    for name, (steps, values) in by_name.items():
        groups.setdefault(tuple(steps), {})[name] = read(values)
    for steps_, together in groups.items():
        yield from runs_of_steps(steps_, together)


def averaged(parts: Sequence[Columns], world: World) -> list[Columns]:
    """The ranks' mean of every value; all ranks have the same columns."""
    # One exchange for all values; sorted, because ranks must put them into the same order.
    names = [sorted(part.values) for part in parts]
    flat = [
        value for part, ordered in zip(parts, names, strict=True) for name in ordered for value in part.values[name]
    ]
    means = iter(world.mean(flat))
    return [
        replace(part, values={name: [next(means) for _ in range(part.count)] for name in ordered})
        for part, ordered in zip(parts, names, strict=True)
    ]


def read(values: Sequence[Tensor | float]) -> list[float]:
    """Scalars as floats, tensors with one copy from their device."""
    if not isinstance(values[0], Tensor):
        return [float(value) for value in values]
    # One stack and one copy: a copy for each value would make the host wait for the device as often.
    found: list[float] = torch.stack(cast("list[Tensor]", values)).flatten().tolist()
    if len(found) != len(values):
        raise PluginError(f"a trainer's metric has shape {list(values[0].shape)}: it must be a scalar")
    return found


def runs_of_steps(steps: tuple[int, ...], values: dict[str, list[float]]) -> Iterator[Columns]:
    """Steps with a constant distance make one batch of columns; it is cut where the distance changes."""
    start = 0
    while start < len(steps):
        every = steps[start + 1] - steps[start] if start + 1 < len(steps) else 1
        # Nearly always, and then no step is looked at: short ones come by the 100 000 between two flushes.
        dense = every == 1 and len(steps) - start == steps[-1] - steps[start] + 1
        end = len(steps) if dense else start + 1
        while end < len(steps) and steps[end] - steps[end - 1] == every:
            end += 1
        part = {name: column[start:end] for name, column in values.items()}
        yield Columns(steps[start], every, end - start, part)
        start = end


def first_non_finite(parts: Sequence[Columns]) -> NonFiniteMetric | None:
    """The earliest value that is NaN or infinite, as the error to raise."""
    bad = [
        (part.first + i * part.every, name, value)
        for part in parts
        for name, column in part.values.items()
        # One look a column: its sum is finite unless a value is not, or it overflows.
        if not math.isfinite(sum(column))
        for i, value in enumerate(column)
        if not math.isfinite(value)
    ]
    if not bad:
        return None
    step, name, value = min(bad, key=lambda item: item[0])
    return NonFiniteMetric(name, value, step)
