"""A batch drawn from a task's declaration: valid in form, of nobody's data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Protocol

import torch
from torch import Tensor

from dlkit.errors import PluginError, UsageError, nearest


class Declared(Protocol):
    """A column, as a task declares it."""

    @property
    def text(self) -> str:
        """``float32[N,C]``."""

    @property
    def dtype(self) -> str: ...

    @property
    def axes(self) -> Sequence[str]: ...


def drawn_batch(
    columns: Mapping[str, Declared],
    sizes: Mapping[str, int],
    ranges: Mapping[str, tuple[float, float]],
    seed: int,
    who: str,
) -> dict[str, Tensor]:
    """``Task.example`` as it is where a task does not say otherwise; ``sizes`` are of all axes, ``N`` too."""
    generator = torch.Generator().manual_seed(seed)
    return {
        name: _drawn(column, _shape(name, column, sizes, who), ranges.get(name), generator)
        for name, column in columns.items()
    }


def free_sizes(free: Set[str], sizes: Mapping[str, int] | None, who: str) -> Mapping[str, int]:
    """What somebody asks of free axes; UsageError for another axis, or one without a place."""
    for axis, size in (sizes or {}).items():
        if axis not in free:
            raise UsageError(f"{who}: axis {axis!r} has one size; free are: {nearest(axis, free)}")
        if size < 1:
            raise UsageError(f"{who}: axis {axis!r} of size {size}; it must be at least 1")
    return sizes or {}


def _shape(name: str, column: Declared, sizes: Mapping[str, int], who: str) -> list[int]:
    lacking = [axis for axis in column.axes if not axis.isdigit() and axis not in sizes]
    if lacking:
        raise PluginError(
            f"{who}: no example of {name!r} ({column.text}): its axes() does not say the size of {', '.join(lacking)}"
        )
    return [int(axis) if axis.isdigit() else sizes[axis] for axis in column.axes]


def _drawn(
    column: Declared, shape: list[int], within: tuple[float, float] | None, generator: torch.Generator
) -> Tensor:
    dtype: torch.dtype = getattr(torch, column.dtype)
    if dtype.is_floating_point:
        if within is None:
            return torch.randn(shape, generator=generator).to(dtype)
        return (torch.rand(shape, generator=generator) * (within[1] - within[0]) + within[0]).to(dtype)
    least, end = (int(bound) for bound in within or (0, 1))
    return torch.randint(least, max(end, least + 1), shape, generator=generator).to(dtype)
