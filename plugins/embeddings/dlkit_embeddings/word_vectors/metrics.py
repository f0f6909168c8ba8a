"""How well a word is known by its context: loss, perplexity, accuracy, and whether it is among the five best."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

_LARGEST = 700.0
"""The largest loss whose exponential a float holds."""


class WordMetrics:
    """Over exactly the targets seen: ``loss`` in nats, ``perplexity`` its exponential, ``accuracy``, ``top5``."""

    def __init__(self) -> None:
        self._sums: Tensor | None = None
        """Nats, hits, hits among five, targets."""

    def update(self, outputs: Tensor, batch: Mapping[str, Tensor]) -> None:
        target = batch["target"]
        nats = F.cross_entropy(outputs, target, reduction="sum")
        hits = outputs.topk(min(5, outputs.shape[1]), 1).indices == target[:, None]
        sums = torch.stack([nats, *(h.sum().to(nats.dtype) for h in (hits[:, 0], hits)), nats.new_tensor(len(target))])
        sums = sums.to(torch.float32 if sums.device.type == "mps" else torch.float64)
        self._sums = sums if self._sums is None else self._sums + sums

    def reduce(self, over_ranks: Callable[[Tensor | None], Tensor | None]) -> None:
        """Add up what several processes have seen."""
        self._sums = over_ranks(self._sums)

    def compute(self) -> dict[str, float]:
        if self._sums is None:
            return {}
        nats, first, five, targets = self._sums.tolist()
        loss = nats / targets
        perplexity = math.exp(min(loss, _LARGEST)) if loss == loss else loss
        return {"loss": loss, "accuracy": first / targets, "top5": five / targets, "perplexity": perplexity}
