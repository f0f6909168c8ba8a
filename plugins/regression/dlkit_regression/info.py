"""What a data set of this task tells its models and predictors: the columns of a row, and what is predicted."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from dlkit.data.tables import Reading
from dlkit.task import Info
from dlkit_regression.columns import Column, Target, feature_names

Feature = Annotated[Column, Field(discriminator="kind")]


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
