"""What a data set of this task tells its models and predictors."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dlkit.data.image_info import ImagesInfo
from dlkit.task import Array


class AutoencoderInfo(ImagesInfo):
    """How a picture becomes the model's input and back: enough to compress an image file."""

    shape: tuple[int, int, int] = Field(description="channels (1: grey, 3: RGB), height, width of an image")
    fit: Literal["crop", "letterbox"] = Field(
        "crop", description="how an image of another shape is brought to this one"
    )
    principal: Array | None = Field(
        None, description="mean and principal components of the training images, float32 [1 + K,C·H·W]; None: not known"
    )
