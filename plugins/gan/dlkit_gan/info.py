"""What a data set of this task tells its models, metrics and predictors."""

from __future__ import annotations

from pydantic import Field

from dlkit.task import Array, Info
from dlkit_gan.options import Look


class GanInfo(Info):
    """The form of the images, and the judge that tells how like two sets of them are.

    Runs of before have neither ``judged``, ``side`` nor ``accuracy``: what they measure stays what it was.
    """

    shape: tuple[int, int, int] = Field(description="channels (1: grey, 3: RGB), height, width of an image")
    look: Look = Field(description="what the judge was trained to see")
    classes: list[str] = Field(min_length=2, description="names of what the judge tells apart, by label")
    judge: Array = Field(description="float32 [weights]: the judge's, flat")
    judged: int = Field(0, ge=0, description="images drawn to be judged; 0: as many as a split has, at random")
    side: int = Field(0, ge=0, description="side in pixels at which the judge sees images; 0: 28, or 32 of turns")
    accuracy: float | None = Field(None, description="share of images it never learnt from that the judge tells right")
