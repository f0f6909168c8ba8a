"""What is minimised."""

from __future__ import annotations

from collections.abc import Mapping
from math import log

from dlkit.task import Loss
from dlkit_regression.info import RegressionInfo
from torch import Tensor
from torch.nn.functional import softplus

from dlkit_my_plugin.options import Options


def log_cosh(config: Options, info: RegressionInfo) -> Loss[Tensor]:
    """Mean over the batch of s²·log cosh(e / s) for an error e: ½e² near 0, s·|e| − s²·log 2 far off."""
    scale = config.scale

    def loss(outputs: Tensor, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        error = ((outputs - batch["target"]) / scale).abs()
        # cosh itself overflows; log cosh e = |e| + log(1 + exp(−2|e|)) − log 2.
        return {"loss": scale**2 * (error + softplus(-2 * error) - log(2)).mean()}

    return loss
