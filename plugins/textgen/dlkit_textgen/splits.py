"""Windows of a text that know how many of its characters they stand for."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from dlkit.data.plans import Plan, Planner
from dlkit.data.splits import Batch
from dlkit.data.text.windows import IGNORED, Windows


class TextWindows(Windows):
    """``Windows`` with the column ``characters`` float32 [N]: the counted targets, times the characters that a token of
    this text decodes to on average (``per_token``). Over a whole split that is what all its tokens decode to."""

    def __init__(
        self, ids: Tensor, length: int, per_token: float, *, whole: bool = False, planner: Planner | None = None
    ) -> None:
        super().__init__(ids, length, whole=whole, planner=planner)
        self.per_token = per_token

    def take(self, index: Tensor) -> Batch:
        return self._counted(super().take(index))

    def batches(self, plan: Plan, *, seed: int, epoch: int | None, start: int = 0) -> Iterator[Batch]:
        for batch in super().batches(plan, seed=seed, epoch=epoch, start=start):
            yield batch if "characters" in batch else self._counted(batch)

    def ids(self) -> Tensor:
        """The whole text as tokens, int32 [n]."""
        return self._ids

    def _counted(self, batch: Batch) -> Batch:
        return {**batch, "characters": (batch["target"] != IGNORED).sum(1) * self.per_token}
