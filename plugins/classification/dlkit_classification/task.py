"""The contract of image classification: what data sets, models, losses and predictors of this task agree on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from dlkit.task import Array, Column, Info, Metrics, Task

if TYPE_CHECKING:
    from dlkit.data.splits import Split
    from dlkit.samples import Sample


class ClassificationInfo(Info):
    """The classes, and how a picture becomes the model's input: enough to answer an image file."""

    classes: list[str] = Field(min_length=2, description="names of the classes, by label")
    shape: tuple[int, int, int] = Field(description="channels (1: grey, 3: RGB), height, width of an image")
    mean: Array = Field(description="float32 [C]: subtracted from pixels scaled to [0, 1]")
    std: Array = Field(description="float32 [C]: what the difference is divided by")
    fit: Literal["crop", "letterbox"] = Field(
        "crop", description="how an image of another shape is brought to this one"
    )
    patches: Array | None = Field(
        None, description="float32 [C·9,C·9]: covariance of 3×3 patches, for stems that whiten"
    )


class Classification(Task):
    """One of several classes for each image.

    ``image`` is normalised: (pixel / 255 − mean) / std. ``outputs`` are logits, so any torchvision classifier fits.
    """

    Info = ClassificationInfo
    batch = {"image": Column("float32[N,C,H,W]"), "label": Column("int64[N]")}
    inputs = ("image",)
    outputs = Column("float32[N,classes]")

    def metrics(self, info: Any) -> Metrics:
        from dlkit_classification.metrics import ClassificationMetrics

        return ClassificationMetrics(info.classes)

    def preview(self, info: Any, split: Split, count: int) -> Sequence[Sample]:
        from dlkit_classification.preview import balance, grid

        return [balance(info, split), grid(info, split, count)]
