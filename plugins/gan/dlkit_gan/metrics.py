"""How like the drawn images are to the real ones, in the judge's eyes, and how well the discriminator tells them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from dlkit.metrics.total import Total, reduce_all
from dlkit.task import OverRanks
from dlkit_gan.info import GanInfo
from dlkit_gan.judge import Judge, Moments, frechet, of_info, prepared
from dlkit_gan.latents import of_seeds

SURE = 0.9
"""Probability of its class from which on the judge counts as sure."""
_BATCH = 250


class Drawn:
    """What the judge says of drawn images: moments of their features, how many it takes for which class, is sure of."""

    def __init__(self) -> None:
        self.moments, self.seen, self.sure = Moments(), Total(), Total()

    def add(self, judge: Judge, images: Tensor) -> None:
        """Judge images as ``prepared`` makes them."""
        features = judge.features(images)
        self.moments.update(features)
        probability, seen = judge.head(features).softmax(1).max(1)
        counts = torch.zeros(judge.head.out_features, dtype=torch.int64, device=images.device)
        self.seen.add(counts.scatter_add_(0, seen, torch.ones_like(seen)))
        self.sure.add((probability > SURE).sum())

    def reduce(self, over_ranks: OverRanks) -> None:
        """Add up what several processes have seen."""
        self.moments.reduce(over_ranks)
        reduce_all([self.seen, self.sure], over_ranks)


class GanMetrics:
    """``judge_frechet``: squared Fréchet distance of the judge's 128 features between a split's real images and
    ``info.judged`` drawn ones, always those of the same seeds. Not the published FID: that has other features, and
    other numbers. ``d_accuracy``: the discriminator's, over the real images and as many drawn. Of digits also ``sure``,
    the share of drawn ones that the judge is over 0.9 sure of, and ``classes``, how many of the ten it sees at all.

    Runs of before compare as many drawn images as real ones, drawn at random.
    """

    def __init__(self, info: GanInfo) -> None:
        self._info = info
        self._judge: Judge | None = None
        self.real, self.drawn = Moments(), Drawn()
        self._right = Total()
        self._asked = False

    def update(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> None:
        images = outputs["image"]
        self.real.update(self._on(images.device).features(self._prepared(batch["image"])))
        self._right.add((outputs["real"] > 0).sum() + (outputs["fake"] <= 0).sum())
        if not self._info.judged:
            self.drawn.add(self._on(images.device), self._prepared(images))

    def ask(self, model: nn.Module, batch: Mapping[str, Tensor], thorough: bool) -> None:
        """Have the images of the first seeds drawn, once: however many batches follow, they are the same."""
        count = 0 if self._asked else self._info.judged
        self._asked = True
        device, generator = batch["image"].device, _generator(model)
        for first in range(0, count, _BATCH):
            latents = of_seeds(model, range(first, min(first + _BATCH, count)))
            self.drawn.add(self._on(device), self._prepared(generator(latents.to(device)).float()))

    def reduce(self, over_ranks: OverRanks) -> None:
        """Add up what several processes have seen; what all of them have drawn counts once."""
        if self._info.judged:
            have = torch.zeros(over_ranks.size, dtype=torch.int64)
            have[over_ranks.rank] = int(self._asked)
            told = over_ranks(have)
            assert told is not None
            if int(told.argmax()) != over_ranks.rank:
                self.drawn = Drawn()
        self.drawn.reduce(over_ranks)
        self.real.reduce(over_ranks)
        self._right.reduce(over_ranks)

    def compute(self) -> dict[str, float]:
        """By name; no distance for fewer than two images."""
        count, drawn, seen = self.real.count, self.drawn.moments.count, self.drawn.seen.numbers()
        if min(count, drawn) < 2:
            return {}
        right, sure = sum(self._right.numbers()), sum(self.drawn.sure.numbers())
        found = {"judge_frechet": frechet(self.real, self.drawn.moments), "d_accuracy": right / (2 * count)}
        if self._info.look == "digits":
            found |= {"sure": sure / drawn, "classes": float(sum(number > 0 for number in seen))}
        return found

    def _prepared(self, images: Tensor) -> Tensor:
        return prepared(images, self._info.look, self._info.side)

    def _on(self, device: torch.device) -> Judge:
        if self._judge is None:
            self._judge = of_info(self._info).to(device)
        return self._judge


def _generator(model: Any) -> nn.Module:
    found: nn.Module = model.generator
    return found
