"""Errors of a regression, from sums that stay on the device and add up over processes."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from dlkit.metrics.total import Total, exact
from dlkit.task import SumOverRanks


class RegressionMetrics:
    """``mse`` of standardised values; ``rmse`` and ``mae`` in the target's unit, of which ``std`` is one deviation.

    ``r2`` is the coefficient of determination, 1 − Σ(y − ŷ)² / Σ(y − ȳ)²; without two different targets it is left out.
    """

    def __init__(self, std: float) -> None:
        self.std = std
        self._sums = Total()  # [5]: count, squared errors, absolute errors, targets, squared targets

    def update(self, outputs: Tensor, batch: Mapping[str, Tensor]) -> None:
        """Add outputs and targets [N,1]."""
        target = exact(batch["target"])
        error = exact(outputs) - target
        count = torch.full_like(target.sum(), len(target))
        self._sums.add(
            torch.stack([count, error.square().sum(), error.abs().sum(), target.sum(), target.square().sum()])
        )

    def reduce(self, over_ranks: SumOverRanks) -> None:
        """Add up what several processes have seen."""
        self._sums.reduce(over_ranks)

    def compute(self) -> Mapping[str, float]:
        if not sum(self._sums.numbers()[:1]):
            return {}
        count, squared, absolute, total, total_squared = self._sums.numbers()
        mse = squared / count
        found = {"mse": mse, "rmse": mse**0.5 * self.std, "mae": absolute / count * self.std}
        variation = total_squared - total**2 / count
        # Left out where it is undefined: a metric that is not finite fails the run.
        if variation > 1e-12 * total_squared:
            found["r2"] = 1 - squared / variation
        return found
