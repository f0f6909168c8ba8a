"""How like the drawn images are to the real ones, in the judge's eyes, and how well the discriminator tells them."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from dlkit.metrics.total import Total, reduce_all
from dlkit.task import SumOverRanks
from dlkit_gan.info import GanInfo
from dlkit_gan.judge import Judge, Moments, frechet, prepared, restored

SURE = 0.9
"""Probability of its class from which on the judge counts as sure."""


class GanMetrics:
    """``judge_frechet``: squared Fréchet distance of the judge's 128 features, as many drawn images as real ones. Not
    the published FID: that has other features, and other numbers. ``d_accuracy``: the discriminator's, over both kinds.
    Of digits also ``sure``, the share of drawn ones that the judge is more than 0.9 sure of, and ``classes``, how many
    of the ten it sees at all.
    """

    def __init__(self, info: GanInfo) -> None:
        self._info = info
        self._judge: Judge | None = None
        self.real, self.drawn = Moments(), Moments()
        self._right, self._seen, self._sure = Total(), Total(), Total()

    def update(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> None:
        images = outputs["image"]
        judge = self._on(images.device)
        self.real.update(judge.features(prepared(batch["image"], self._info.look)))
        features = judge.features(prepared(images, self._info.look))
        self.drawn.update(features)
        probability, seen = judge.head(features).softmax(1).max(1)
        counts = torch.zeros(len(self._info.classes), dtype=torch.int64, device=images.device)
        counts.scatter_add_(0, seen, torch.ones_like(seen))
        self._right.add((outputs["real"] > 0).sum() + (outputs["fake"] <= 0).sum())
        self._seen.add(counts)
        self._sure.add((probability > SURE).sum())

    def reduce(self, over_ranks: SumOverRanks) -> None:
        """Add up what several processes have seen."""
        for moments in (self.real, self.drawn):
            moments.reduce(over_ranks)
        reduce_all([self._right, self._seen, self._sure], over_ranks)

    def compute(self) -> dict[str, float]:
        """By name; no distance for fewer than two images."""
        count, seen = self.drawn.count, self._seen.numbers()
        if count < 2:
            return {}
        right, sure = sum(self._right.numbers()), sum(self._sure.numbers())
        found = {"judge_frechet": frechet(self.real, self.drawn), "d_accuracy": right / (2 * count)}
        if self._info.look == "digits":
            found |= {"sure": sure / count, "classes": float(sum(number > 0 for number in seen))}
        return found

    def _on(self, device: torch.device) -> Judge:
        if self._judge is None:
            self._judge = restored(self._info.judge, self._info.shape[0], len(self._info.classes)).to(device)
        return self._judge
