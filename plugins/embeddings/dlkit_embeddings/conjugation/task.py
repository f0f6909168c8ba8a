"""The contract of conjugation: what data sets, models, losses and predictors of this task agree on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from dlkit.task import Column, Metrics, Task
from dlkit_embeddings.conjugation.info import ConjugationInfo

if TYPE_CHECKING:
    from torch import Tensor

    from dlkit.data.splits import Batch, Split
    from dlkit.samples import Sample


class Conjugation(Task[ConjugationInfo]):
    """The form that stands in a gap, of the words around it.

    ``context`` has the words' numbers, W = 2 × window: first those left of the gap, then those right of it, in reading
    order. ``<pad>`` (0) stands where there are none: before the left ones, after the right ones. ``outputs`` are
    logits.
    """

    Info = ConjugationInfo
    batch = {"context": Column("int64[N,W]"), "label": Column("int64[N]")}
    inputs = ("context",)
    outputs = Column("float32[N,classes]")

    def axes(self, info: ConjugationInfo) -> Mapping[str, int]:
        return {"W": 2 * info.window, "classes": len(info.classes)}

    def ranges(self, info: ConjugationInfo) -> Mapping[str, tuple[float, float]]:
        return {"context": (0, len(info.words)), "label": (0, len(info.classes))}

    def metrics(self, info: ConjugationInfo) -> Metrics[Tensor]:
        from dlkit_embeddings.conjugation.metrics import ConjugationMetrics

        return ConjugationMetrics(info.classes)

    def constant(self, info: ConjugationInfo, train: Split) -> Callable[[Batch], Tensor]:
        """The commonest form."""
        from dlkit.data.constant import log_shares, same_for_all, some_of

        return same_for_all(log_shares(some_of(train, "label"), len(info.classes)), "label")

    def preview(self, info: ConjugationInfo, split: Split, count: int) -> Sequence[Sample]:
        from dlkit_embeddings.conjugation.preview import balance, examples

        return [balance(info, split), examples(info, split, count)]
