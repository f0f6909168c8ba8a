"""What a data set of this task tells its models and predictors."""

from __future__ import annotations

from dlkit.data.image_info import BoxedImagesInfo


class LocalizationInfo(BoxedImagesInfo):
    """The classes, and how a picture becomes the model's input: enough to answer an image file."""
