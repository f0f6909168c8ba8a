"""What is minimised: means over the batch. Of two classes the second one's score is the unit's sum z, the first −z."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from dlkit.config import NoOptions
from dlkit.task import Loss
from dlkit_points.info import PointsInfo


def cross_entropy(config: NoOptions, info: PointsInfo) -> Loss[Tensor]:
    """−log softmax at the label, in nats."""

    def loss(outputs: Tensor, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        return {"loss": F.cross_entropy(outputs, batch["label"])}

    return loss


def logistic(config: NoOptions, info: PointsInfo) -> Loss[Tensor]:
    """One class against the rest: log(1 + eᶻ) − t·z, over classes added up (Bishop 2006, equation 4.90)."""

    def loss(outputs: Tensor, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        z, t = units(outputs, batch["label"])
        return {"loss": F.binary_cross_entropy_with_logits(z, t, reduction="sum") / len(z)}

    return loss


def perceptron(config: NoOptions, info: PointsInfo) -> Loss[Tensor]:
    """(step(z) − t)·z, whose gradient is Rosenblatt's rule: w ← w − η (step(z) − t) x (Bishop 2006, equation 4.54)."""

    def loss(outputs: Tensor, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        z, t = units(outputs, batch["label"])
        wrong = (z > 0).to(z.dtype) - t
        return {"loss": (wrong * z).sum() / len(z)}

    return loss


def units(scores: Tensor, label: Tensor) -> tuple[Tensor, Tensor]:
    """Sums z and targets t (1 or 0), [N,units]: of two classes there is one unit, else one a class."""
    if scores.shape[1] == 2:
        return scores[:, 1:], label[:, None].to(scores.dtype)
    return scores, torch.zeros_like(scores).scatter_(1, label[:, None], 1)
