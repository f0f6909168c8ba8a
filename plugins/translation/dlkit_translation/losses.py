"""What translation minimises."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch.nn.functional as F
from torch import Tensor

from dlkit.data.text.pieces import PAD
from dlkit_translation.info import TranslationInfo
from dlkit_translation.options import CrossEntropyConfig

Loss = Callable[[Tensor, Mapping[str, Tensor]], Mapping[str, Tensor]]


def cross_entropy(config: CrossEntropyConfig, info: TranslationInfo) -> Loss:
    """Mean over the batch's target tokens of −log softmax at the right one, in nats; padding does not count.

    Label smoothing as in Vaswani et al. 2017 (arXiv 1706.03762, section 5.4).
    """
    smoothing = config.label_smoothing

    def loss(outputs: Tensor, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        flat, target = outputs.flatten(0, 1), batch["target"].flatten()
        return {"loss": F.cross_entropy(flat, target, ignore_index=PAD, label_smoothing=smoothing)}

    return loss
