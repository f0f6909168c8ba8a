"""The network, what it minimises, and what is measured of it."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from dlkit.config import NoOptions
from dlkit.metrics.total import Total, exact
from dlkit.task import Loss, SumOverRanks
from torch import Tensor, nn

from dlkit_tones.task import FiltersOptions, TonesInfo


def build(config: FiltersOptions, info: TonesInfo) -> nn.Module:
    return Filters(config, len(info.tones))


class Filters(nn.Module):
    """signal [N,S] → logits [N,K]: filters over time, how strongly each answers on average, and two layers of that."""

    def __init__(self, config: FiltersOptions, tones: int) -> None:
        super().__init__()
        self.filters = nn.Conv1d(1, config.filters, config.length, padding=config.length // 2, bias=False)
        self.layers = nn.Sequential(nn.Linear(config.filters, 64), nn.GELU(), nn.Linear(64, tones))

    def forward(self, signal: Tensor) -> Tensor:
        answers = self.filters(signal.unsqueeze(1))  # [N,F,S]
        found: Tensor = self.layers(answers.square().mean(2).add(1e-3).log())
        return found


def cross_entropy(config: NoOptions, info: TonesInfo) -> Loss[Tensor]:
    def loss(outputs: Tensor, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        return {"loss": nn.functional.binary_cross_entropy_with_logits(outputs, batch["sounding"])}

    return loss


class Heard:
    """``f1`` over all tones of all signals, and ``exact``: the share of signals of which every tone is right."""

    def __init__(self) -> None:
        self._sums = Total()  # [4]: heard rightly, heard or sounding, signals right as a whole, signals

    def update(self, outputs: Tensor, batch: Mapping[str, Tensor]) -> None:
        heard, sounding = outputs > 0, batch["sounding"] > 0.5
        right = (heard == sounding).all(1)
        counts = [2 * (heard & sounding).sum(), heard.sum() + sounding.sum(), right.sum(), torch.ones_like(right).sum()]
        self._sums.add(exact(torch.stack(counts)))

    def reduce(self, over_ranks: SumOverRanks) -> None:
        self._sums.reduce(over_ranks)

    def compute(self) -> Mapping[str, float]:
        sums = self._sums.numbers()
        if not sums:
            return {}
        defined = {"f1": sums[0] / sums[1]} if sums[1] else {}  # where nothing sounds and nothing is heard, it is not
        return {**defined, "exact": sums[2] / sums[3]}
