"""The contract of image classification: what data sets, models, losses and predictors of this task agree on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from dlkit.task import Column, Metrics, Task
from dlkit_classification.info import ClassificationInfo

if TYPE_CHECKING:
    from torch import Tensor

    from dlkit.data.splits import Batch, Split
    from dlkit.samples import Sample


class Classification(Task[ClassificationInfo]):
    """One of several classes for each image.

    ``image`` is normalised: (pixel / 255 − mean) / std. ``outputs`` are logits, so any torchvision classifier fits.
    """

    Info = ClassificationInfo
    batch = {"image": Column("float32[N,C,H,W]"), "label": Column("int64[N]")}
    inputs = ("image",)
    outputs = Column("float32[N,classes]")

    def ranges(self, info: ClassificationInfo) -> Mapping[str, tuple[float, float]]:
        return {"label": (0, len(info.classes))}

    def metrics(self, info: ClassificationInfo) -> Metrics[Tensor]:
        from dlkit_classification.metrics import ClassificationMetrics

        return ClassificationMetrics(info.classes)

    def scores(self, outputs: Tensor, info: ClassificationInfo) -> Mapping[str, Tensor]:
        """The logit of each class."""
        return dict(zip(info.classes, outputs.unbind(1), strict=True))

    def constant(self, info: ClassificationInfo, train: Split) -> Callable[[Batch], Tensor]:
        """The commonest class."""
        from dlkit.data.constant import log_shares, same_for_all, some_of

        return same_for_all(log_shares(some_of(train, "label"), len(info.classes)), "label")

    def preview(self, info: ClassificationInfo, split: Split, count: int) -> Sequence[Sample]:
        from dlkit_classification.preview import balance, grid

        return [balance(info, split), grid(info, split, count)]
