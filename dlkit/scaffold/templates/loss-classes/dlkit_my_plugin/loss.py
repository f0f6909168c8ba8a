"""What is minimised."""

from __future__ import annotations

from collections.abc import Mapping

from dlkit.task import Loss
from dlkit_classification.info import ClassificationInfo
from torch import Tensor

from dlkit_my_plugin.options import Options


def focal(config: Options, info: ClassificationInfo) -> Loss[Tensor]:
    """Mean over the batch of −(1 − p)^focus · log p, p the probability of the true class.

    Lin, Goyal, Girshick, He and Dollár (2017), Focal Loss for Dense Object Detection, arXiv 1708.02002.
    """

    def loss(outputs: Tensor, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        log = outputs.log_softmax(1).gather(1, batch["label"][:, None])  # [N,1]
        return {"loss": -((1 - log.exp()).clamp(min=0) ** config.focus * log).mean()}

    return loss
