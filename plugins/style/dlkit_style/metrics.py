"""What is measured of a picture besides its losses."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from dlkit.metrics.total import Total, reduce_all
from dlkit.task import SumOverRanks


class PictureMetrics:
    """``changed``: mean absolute difference of the picture from the content, of brightness from 0 to 1."""

    def __init__(self) -> None:
        self._changed, self._seen = Total(), Total()

    def update(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> None:
        difference = (outputs["image"] - batch["content"]).abs().flatten(1).mean(1)
        self._changed.add(difference.sum())
        self._seen.add(difference.new_tensor(len(difference)))

    def reduce(self, over_ranks: SumOverRanks) -> None:
        """Add up what several processes have seen."""
        reduce_all([self._changed, self._seen], over_ranks)

    def compute(self) -> dict[str, float]:
        """By name; nothing where nothing was seen."""
        seen = sum(self._seen.numbers())
        return {"changed": sum(self._changed.numbers()) / seen} if seen else {}
