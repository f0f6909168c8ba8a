"""Supervised training on a bound whose divergence may come in slowly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from torch import Tensor

from dlkit.data.splits import Batch
from dlkit.engine.supervised import SupervisedTrainer
from dlkit.engine.trainer import Values
from dlkit_autoencoder.options import VariationalTrainerConfig


class VariationalTrainer(SupervisedTrainer):
    """Calls its loss as ``loss(outputs, batch, share)``, ``share`` in [0, 1] being what counts of the divergence.

    It rises linearly over the first ``prior_warmup`` of the run (Bowman et al. 2016, arXiv 1511.06349): a function of
    the step, so there is nothing to keep for a resume.
    """

    _share = 1.0

    def step(self, batches: Sequence[Batch], step: int) -> Values:
        config = cast(VariationalTrainerConfig, self.config)
        rise = config.prior_warmup * self.setup.total_steps
        self._share = min(1.0, (step + 1) / rise) if rise else 1.0
        return super().step(batches, step)

    def losses(self, batch: Batch) -> Mapping[str, Tensor]:
        found: Mapping[str, Tensor] = self.setup.loss(self._forward(batch), batch, self._share)
        return found
