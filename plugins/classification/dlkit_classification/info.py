"""What a data set of this task tells its models and predictors."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dlkit.data.image_info import ImagesInfo
from dlkit.task import Array


class ClassificationInfo(ImagesInfo):
    """The classes, and how a picture becomes the model's input: enough to answer an image file."""

    classes: list[str] = Field(min_length=2, description="names of the classes, by label")
    shape: tuple[int, int, int] = Field(description="channels (1: grey, 3: RGB), height, width of an image")
    mean: Array = Field(description="float32 [C]: subtracted from pixels scaled to [0, 1]")
    std: Array = Field(description="float32 [C]: what the difference is divided by")
    fit: Literal["crop", "letterbox"] = Field(
        "crop", description="how an image of another shape is brought to this one"
    )
    counts: list[int] | None = Field(None, description="training images of each class, for losses that weigh classes")
    patches: Array | None = Field(
        None, description="float32 [C·9,C·9]: covariance of 3×3 patches, for stems that whiten"
    )
