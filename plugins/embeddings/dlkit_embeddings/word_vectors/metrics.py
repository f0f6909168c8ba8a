"""How well a word is known by its context: loss, perplexity, accuracy, and whether it is among the five best."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from dlkit.metrics.perplexity import perplexity
from dlkit.metrics.total import Total, exact
from dlkit.task import SumOverRanks


class WordMetrics:
    """Over exactly the targets seen: ``loss`` in nats, ``perplexity`` its exponential, ``accuracy``, ``top5``."""

    def __init__(self) -> None:
        self._sums = Total()
        """Nats, hits, hits among five, targets."""

    def update(self, outputs: Tensor, batch: Mapping[str, Tensor]) -> None:
        target = batch["target"]
        nats = F.cross_entropy(outputs, target, reduction="sum")
        hits = outputs.topk(min(5, outputs.shape[1]), 1).indices == target[:, None]
        sums = torch.stack([nats, *(h.sum().to(nats.dtype) for h in (hits[:, 0], hits)), nats.new_tensor(len(target))])
        self._sums.add(exact(sums))

    def reduce(self, over_ranks: SumOverRanks) -> None:
        """Add up what several processes have seen."""
        self._sums.reduce(over_ranks)

    def compute(self) -> dict[str, float]:
        if not (sums := self._sums.numbers()):
            return {}
        nats, first, five, targets = sums
        loss = nats / targets
        return {"loss": loss, "accuracy": first / targets, "top5": five / targets, "perplexity": perplexity(loss)}
