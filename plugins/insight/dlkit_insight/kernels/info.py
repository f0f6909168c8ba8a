"""What a data set of filtered images tells models and predictors."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dlkit.data.image_info import ImagesInfo
from dlkit.task import Array


class KernelsInfo(ImagesInfo):
    """What was filtered, how, and how alike its pixels are."""

    shape: tuple[int, int, int] = Field(description="channels (1: grey, 3: RGB), height, width of a training image")
    fit: Literal["crop"] = Field("crop", description="how an image of another shape was brought to this one")
    border: str = Field(description="what lies beyond an image")
    kernel: Array | None = Field(None, description="float32 [h,w]: what filtered the images, where that is known")
    kernel_name: str = Field("", description="what it is called")
    clipped: bool = Field(False, description="whether filtered images were cut off at black and white, as files are")
    moments: Array = Field(
        description="float64 [2R+1,2R+1]: the mean product of two pixels so many rows and columns apart, 0 amid"
    )
