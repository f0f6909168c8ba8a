"""What a data set of this task tells its models and predictors: the columns of a row, and what is predicted."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from dlkit.task import Info


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(description="the column's name in a table's header")


class Number(_Part):
    """A column of numbers, which becomes one feature: (value − mean) / std."""

    kind: Literal["number"] = "number"
    mean: float = Field(0.0, description="subtracted from a value")
    std: float = Field(1.0, gt=0, description="what the difference is divided by")


class Category(_Part):
    """A column of words or codes, which becomes one feature, 0 or 1, for each of its values."""

    kind: Literal["category"] = "category"
    values: list[str] = Field(min_length=1, description="the values, in the features' order")


Feature = Annotated[Number | Category, Field(discriminator="kind")]


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

    @property
    def features(self) -> list[str]:
        """Names of the F features: ``temp``, ``season=1``, ``season=2``…"""
        names: list[str] = []
        for column in self.columns:
            values = column.values if isinstance(column, Category) else None
            names += [column.name] if values is None else [f"{column.name}={value}" for value in values]
        return names
