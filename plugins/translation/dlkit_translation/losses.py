"""What translation minimises."""

from __future__ import annotations

from collections.abc import Mapping

import torch.nn.functional as F
from torch import Tensor, nn

from dlkit.data.text.pieces import PAD
from dlkit_translation.info import TranslationInfo
from dlkit_translation.options import CrossEntropyConfig


class CrossEntropy:
    """Mean over the batch's target tokens of −log softmax at the right one, in nats; padding does not count.

    Label smoothing as in Vaswani et al. 2017 (arXiv 1706.03762, section 5.4).
    """

    def __init__(self, config: CrossEntropyConfig) -> None:
        self._smoothing = config.label_smoothing

    def __call__(self, outputs: Tensor, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        flat, target = outputs.flatten(0, 1), batch["target"].flatten()
        return {"loss": F.cross_entropy(flat, target, ignore_index=PAD, label_smoothing=self._smoothing)}

    def counts(self, batch: Mapping[str, Tensor], model: nn.Module) -> Tensor:
        """Target tokens."""
        return (batch["target"] != PAD).sum()


def cross_entropy(config: CrossEntropyConfig, info: TranslationInfo) -> CrossEntropy:
    return CrossEntropy(config)
