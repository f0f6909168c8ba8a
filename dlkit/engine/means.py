"""Means put together: of micro-batches and processes to a step's, of batches to a split's.

The entries of a loss are means over a batch's samples, or over what its ``counts`` says (``dlkit.task.Loss``). The mean
of such means depends on how samples are cut into batches; here sums are divided once, by what all parts counted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from dlkit.data.splits import Batch
from dlkit.engine.distributed import World
from dlkit.metrics.total import exact

_ALL = ""
"""Stands for every entry, where a loss counts one thing for all of them."""


def samples_of(batch: Batch) -> int:
    """Samples in a batch."""
    return len(next(iter(batch.values()))) if batch else 1


@dataclass(frozen=True)
class Weights:
    """What the means of one batch count beside those of others: ``samples``, or by name what the loss ``counted``."""

    samples: float
    counted: Mapping[str, Tensor] = field(default_factory=dict)

    def of(self, name: str) -> Tensor | float:
        """Of an entry of this name."""
        return self.counted.get(name, self.counted.get(_ALL, self.samples))

    def scaled(self, values: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Each value times its weight, in the value's own precision."""
        return {name: value * _like(value, self.of(name)) for name, value in values.items()}


class LossMeans:
    """How the entries of a loss become those of several batches."""

    def __init__(self, loss: object, model: nn.Module) -> None:
        self._counts = getattr(loss, "counts", None)
        self.total: Callable[[Mapping[str, Tensor]], Tensor] | None = getattr(loss, "total", None)
        self._model = model

    @torch.no_grad()
    def weights(self, batch: Batch) -> Weights:
        """What this batch's means are over; counted on the device and not read."""
        if self._counts is None:
            return Weights(samples_of(batch))
        found: Mapping[str, Tensor] | Tensor = self._counts(batch, self._model)
        counts = found if isinstance(found, Mapping) else {_ALL: found}
        return Weights(samples_of(batch), {name: exact(count) for name, count in counts.items()})

    def shares(self, batches: Sequence[Batch], by_samples: Sequence[float], world: World) -> list[Weights]:
        """Of the micro-batches of one process: factors, with which the ranks' mean of the sums is the step's loss.

        ``by_samples`` are those of entries that are means over samples.
        """
        if self._counts is None:
            return [Weights(share) for share in by_samples]
        parts = [self.weights(batch).counted for batch in batches]
        totals = {name: torch.stack([part[name] for part in parts]).sum() for name in parts[0]}
        world.average(list(totals.values()))
        factors = {name: world.size / _or_one(mean * world.size) for name, mean in totals.items()}
        return [
            Weights(share, {name: _or_one(count) * factors[name] for name, count in part.items()})
            for share, part in zip(by_samples, parts, strict=True)
        ]

    def completed(self, values: dict[str, Tensor]) -> dict[str, Tensor]:
        """With the ``loss`` made of its parts anew, where the loss says how."""
        return values if self.total is None else {**values, "loss": self.total(values)}


class RunningMeans:
    """The means over all batches so far, on the device until they are read."""

    def __init__(self, means: LossMeans) -> None:
        self._means = means
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, Tensor | float] = {}
        self._dtype: torch.dtype | None = None  # of a rank without a batch: as exact as the sums are

    def add(self, values: Mapping[str, Tensor], batch: Batch) -> None:
        """One batch's entries."""
        weights, size = self._means.weights(batch), samples_of(batch)
        for name, value in values.items():
            count = weights.of(name)
            self._dtype = value.dtype
            # In float64 products are exact, and the sums of ten thousand batches; in float32 those were off by 1e-4.
            self._put(name, exact(value.detach()) * (_or_one(count) if isinstance(count, Tensor) else size), count)

    def _put(self, name: str, total: Tensor, count: Tensor | float) -> None:
        self._sums[name] = self._sums[name] + total if name in self._sums else total
        self._counts[name] = self._counts.get(name, 0) + count

    def reduce(self, world: World) -> None:
        """What all ranks have seen together."""
        # Every rank's names, in one order: a rank without a batch has no sums, and the others would wait for it.
        names = {name for found in world.gather("\n".join(self._sums).encode()) for name in found.decode().split("\n")}
        for name in sorted(names - {""}):
            count = self._counts.get(name)
            total = world.sum(self._sums.get(name))
            seen = world.sum(None if count is None else torch.as_tensor(count))
            assert total is not None and seen is not None
            self._sums[name], self._counts[name] = total, seen

    def numbers(self) -> dict[str, float]:
        """Each sum over its count, in the loss's own precision: of one batch it is what the loss gave.

        Where nothing was counted, the sum.
        """
        found = {
            name: torch.tensor(float(total) / (float(self._counts[name]) or 1.0), dtype=self._dtype or torch.float64)
            for name, total in self._sums.items()
        }
        return {name: float(value) for name, value in (self._means.completed(found) if found else found).items()}


def _or_one(count: Tensor) -> Tensor:
    """What a loss divides by: a mean over nothing is a sum over nothing."""
    return count + (count == 0)


def _like(value: Tensor, weight: Tensor | float) -> Tensor | float:
    return weight.to(value.dtype) if isinstance(weight, Tensor) else weight
