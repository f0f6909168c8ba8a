"""What a data set of this task tells its models and predictors."""

from __future__ import annotations

from pydantic import Field

from dlkit.task import Array, Info


class PointsInfo(Info):
    """The classes, the axes and their scales; and what pictures show, so that a checkpoint alone can draw them."""

    classes: list[str] = Field(min_length=2, description="names of the classes, by label")
    axes: tuple[str, str] = Field(description="names of the two numbers")
    mean: tuple[float, float] = Field((0.0, 0.0), description="subtracted from a point's numbers")
    std: tuple[float, float] = Field((1.0, 1.0), description="what the difference is divided by")
    delimiter: str = Field("", max_length=1, description="what separated the fields of the file; empty: guessed")
    encoding: str = Field("auto", min_length=1, description="of the file")
    shown: Array = Field(description="float32 [M,2]: training points, as the model sees them")
    shown_labels: Array = Field(description="int64 [M]: their classes")
    divided: bool | None = Field(
        None, description="whether lines divide the classes of the training points; null: unknown"
    )
    witness: Array = Field(description="float32 [W,2]: points that already no line divides; none where one divides all")
    witness_labels: Array = Field(description="int64 [W]: their classes")
    best_line: float | None = Field(
        None, description="of two classes, the share of training points that a line gets right at best"
    )
