"""What data sets of images tell models and predictors, where several tasks tell the same; no torch here."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dlkit.data.pixel_rules import PLAIN, Kind, PixelRules, Range
from dlkit.task import Array, Info


class ImagesInfo(Info):
    """How the training images became pixels. Defaults are what was done before there was a choice."""

    background: str = Field("drop", description="what transparent pixels were laid on; drop: on nothing")
    value_range: str = Field("type", description="black and white of values of more than 8 bits, as the option says it")
    ranges: dict[Kind, Range] = Field(
        default_factory=dict, description="black and white of each kind of such values, as training found them"
    )


def rules_info(rules: PixelRules = PLAIN) -> dict[str, object]:
    """The fields of an ``ImagesInfo``."""
    return {"background": rules.background, "value_range": rules.value_range, "ranges": dict(rules.ranges)}


class BoxedImagesInfo(ImagesInfo):
    """The classes, and how a picture becomes the model's input: enough to answer an image file."""

    classes: list[str] = Field(min_length=1, description="names of the classes, by label")
    shape: tuple[int, int, int] = Field(description="channels (1: grey, 3: RGB), height, width of an image")
    mean: Array = Field(description="float32 [C]: subtracted from pixels scaled to [0, 1]")
    std: Array = Field(description="float32 [C]: what the difference is divided by")
    fit: Literal["letterbox"] = Field("letterbox", description="how an image of another shape is brought to this one")
