"""Loss and perplexity a token, and bits a character, which compare between tokenizers."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from dlkit.data.text.windows import IGNORED
from dlkit.metrics.perplexity import perplexity
from dlkit.metrics.total import Total, exact
from dlkit.task import SumOverRanks


class TextMetrics:
    """``loss``: nats a target, over exactly the counted ones; ``perplexity``: its exponential; ``bits_per_character``:
    the targets' nats as bits, over the characters of the text that they stand for."""

    def __init__(self) -> None:
        self._sums = Total()  # nats, targets, characters

    def update(self, outputs: Tensor, batch: Mapping[str, Tensor]) -> None:
        target = batch["target"].flatten()
        nats = F.cross_entropy(outputs.flatten(0, 1), target, ignore_index=IGNORED, reduction="sum")
        sums = torch.stack([nats, (target != IGNORED).sum().to(nats.dtype), batch["characters"].sum().to(nats.dtype)])
        self._sums.add(exact(sums))

    def reduce(self, over_ranks: SumOverRanks) -> None:
        """Add up what several processes have seen."""
        self._sums.reduce(over_ranks)

    def compute(self) -> dict[str, float]:
        if self._sums.value is None:
            return {}
        nats, targets, characters = self._sums.numbers()
        loss = nats / targets
        found = {"loss": loss, "perplexity": perplexity(loss)}
        return {**found, "bits_per_character": nats / math.log(2) / characters} if characters else found
