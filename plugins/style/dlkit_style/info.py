"""What a data set of this task tells its models and predictors."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from dlkit.data.image_info import ImagesInfo
from dlkit.task import Array


class StyleInfo(ImagesInfo):
    """The pictures themselves: other pictures are painted in these styles when their files are gone."""

    content: Array = Field(description="uint8 [3,H,W]: the picture that is painted")
    styles: list[Array] = Field(min_length=1, description="uint8 [3,h,w] each: those in whose style it is painted")
    blend: list[float] = Field(min_length=1, description="what each style counts; they add up to 1")
    names: list[str] = Field(min_length=2, description="what the content is called, then each style")
    network: dict[str, Any] | None = Field(
        None, description="of the run through whose network pictures are looked at: run, task, model, info"
    )
    size: int = Field(
        ge=1, description="longer side of the content in pixels, and of others painted by the same recipe"
    )

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of the content."""
        return 3, self.content.shape[1], self.content.shape[2]

    @property
    def fit(self) -> Literal["crop"]:
        """Other pictures are painted whole, in their own proportions."""
        return "crop"
