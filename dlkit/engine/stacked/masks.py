"""What dropout draws for each row: from a generator of the row's own, as its run would alone."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


class Masks:
    """``generators``: one for each row, each at the state that the run's own generator would have."""

    def __init__(self, generators: Sequence[torch.Generator]) -> None:
        self._generators = generators

    def draw(self, shape: Sequence[int], rates: Sequence[float], dtype: torch.dtype) -> Tensor:
        """Factors [K,*shape] for activations of that shape a row: 0, or 1 / (1 − rate); 1 where the rate is 0."""
        drawn = torch.empty((len(rates), *shape), dtype=dtype)
        for row, generator, rate in zip(drawn.unbind(0), self._generators, rates, strict=True):
            # Row by row, though it costs microseconds each: one draw for all would be another stream than each has.
            if rate:
                row.bernoulli_(1 - rate, generator=generator)
            else:
                row.fill_(1.0)
        kept = torch.tensor([1 - rate for rate in rates], dtype=dtype)
        return drawn.div_(kept.view(-1, *[1] * len(shape)))
