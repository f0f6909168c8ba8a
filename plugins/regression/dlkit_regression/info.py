"""What a data set of this task tells its models and predictors: the columns of a row, and what is predicted."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from dlkit.data.dates import Order
from dlkit.data.numerals import PLAIN, Numerals
from dlkit.data.tables import Reading
from dlkit.task import Info


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(description="the column's name in a table's header")


class Scale(BaseModel):
    """How a number becomes a feature, (value − mean) / std."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mean: float = Field(0.0, description="subtracted from a value")
    std: float = Field(1.0, gt=0, description="what the difference is divided by")
    fill: float | None = Field(None, description="what stands for a missing value; without it that is an error")


class Number(_Part, Scale):
    """A column of numbers, which becomes one feature, and one of 0 or 1 where ``indicator`` says what is missing."""

    kind: Literal["number"] = "number"
    written: Numerals = Field(PLAIN, description="how its numbers are written")
    indicator: bool = Field(False, description="whether a feature says that the value is missing")


class Date(_Part):
    """A column of dates, which becomes a feature for each of its parts."""

    kind: Literal["date"] = "date"
    order: Order = Field(description="of day, month and year")
    parts: dict[str, Scale] = Field(description="year, month, day, weekday, and hour where there are times")


class Category(_Part):
    """A column of words or codes, which becomes one feature, 0 or 1, for each of its values."""

    kind: Literal["category"] = "category"
    values: list[str] = Field(min_length=1, description='the values, in the features\' order; "": missing')
    unknown: Literal["refuse", "zeros"] = Field("refuse", description="another value: an error, or none of these")


Feature = Annotated[Number | Category | Date, Field(discriminator="kind")]


class Target(_Part):
    """What is predicted; the model sees (value − mean) / std."""

    mean: float = Field(description="mean of the target, in its unit")
    std: float = Field(gt=0, description="standard deviation of the target, in its unit")
    unit: str = Field("", description="what the target is counted in")


class RegressionInfo(Info):
    """How a row of raw values becomes features, and an output a prediction in the target's unit."""

    columns: list[Feature] = Field(min_length=1, description="the columns of a row, in the features' order")
    target: Target = Field(description="what is predicted")
    ordered: bool = Field(False, description="whether the samples of a split follow one another in time")
    reading: Reading = Field(Reading(), description="how the table was read: others like it are read the same")
    missing_words: list[str] = Field([], description="cells that stand for no value, besides those that always do")

    @property
    def features(self) -> list[str]:
        """Names of the F features: ``temp``, ``season=1``, ``season=2``, ``day.month``…"""
        return [name for column in self.columns for name in feature_names(column)]


def feature_names(column: Feature) -> list[str]:
    """The features that a column becomes."""
    if isinstance(column, Category):
        return [f"{column.name}={value or '(missing)'}" for value in column.values]
    if isinstance(column, Date):
        return [f"{column.name}.{part}" for part in column.parts]
    return [column.name, f"{column.name} missing"] if column.indicator else [column.name]
