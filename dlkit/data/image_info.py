"""What data sets of images tell models and predictors, where several tasks tell the same; no torch here."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dlkit.task import Array, Info


class BoxedImagesInfo(Info):
    """The classes, and how a picture becomes the model's input: enough to answer an image file."""

    classes: list[str] = Field(min_length=1, description="names of the classes, by label")
    shape: tuple[int, int, int] = Field(description="channels (1: grey, 3: RGB), height, width of an image")
    mean: Array = Field(description="float32 [C]: subtracted from pixels scaled to [0, 1]")
    std: Array = Field(description="float32 [C]: what the difference is divided by")
    fit: Literal["letterbox"] = Field("letterbox", description="how an image of another shape is brought to this one")
