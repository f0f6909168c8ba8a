"""The contract of localization: what data sets, models, losses and predictors of this task agree on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from dlkit.task import Array, Column, Info, Metrics, Task

if TYPE_CHECKING:
    from dlkit.data.splits import Split
    from dlkit.samples import Sample


class LocalizationInfo(Info):
    """The classes, and how a picture becomes the model's input: enough to answer an image file."""

    classes: list[str] = Field(min_length=1, description="names of the classes, by label")
    shape: tuple[int, int, int] = Field(description="channels (1: grey, 3: RGB), height, width of an image")
    mean: Array = Field(description="float32 [C]: subtracted from pixels scaled to [0, 1]")
    std: Array = Field(description="float32 [C]: what the difference is divided by")
    fit: Literal["letterbox"] = Field("letterbox", description="how an image of another shape is brought to this one")


class Localization(Task):
    """One object at most in an image: is there one, where, and which class.

    ``image`` is normalised: (pixel / 255 − mean) / std. Where there is an object, ``present`` is 1, ``box`` its centre
    x, y, width and height relative to the image's, ``label`` its class; else 0, zeros and −1.

    ``outputs`` [N, 5 + classes] are the logit of "there is an object", the box as the batch has it (not squashed), and
    the logits of the classes, so any network with that many outputs fits.
    """

    Info = LocalizationInfo
    batch = {
        "image": Column("float32[N,C,H,W]"),
        "present": Column("float32[N]"),
        "box": Column("float32[N,4]"),
        "label": Column("int64[N]"),
    }
    inputs = ("image",)
    outputs = Column("float32[N,outputs]")

    def metrics(self, info: Any) -> Metrics:
        from dlkit_localization.metrics import LocalizationMetrics

        return LocalizationMetrics()

    def preview(self, info: Any, split: Split, count: int) -> Sequence[Sample]:
        from dlkit_localization.preview import balance, grid

        return [balance(info, split), grid(info, split, count)]
