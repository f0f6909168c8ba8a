"""Options of the components; no torch here."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from dlkit.config import Config
from dlkit.data.options import Location, Shares

Width = Annotated[int, Field(ge=1)]


class Fractions(Shares):
    """How one table is split."""

    val_fraction: float = Field(0.15, gt=0, lt=1, description="Share of the rows for validation")
    test_fraction: float = Field(0.15, ge=0, lt=1, description="Share of the rows for the test; 0: no test split")
    split_seed: int = Field(0, ge=0, description="Which rows go to which split is a function of it")


class DiabetesConfig(Fractions):
    """scikit-learn's diabetes table."""


class BikeSharingConfig(Config):
    """Hourly bike rentals, split by time."""

    test_days: int = Field(21, ge=1, description="Days at the end that are the test split")
    val_days: int = Field(60, ge=1, description="Days before those that are the validation split")


class FilesConfig(Fractions):
    """A CSV file of your own, with a header."""

    path: Location = Field(description="The CSV file")
    target: str = Field("", description="Column to predict; empty: the last one")
    unit: str = Field("", description="What the target is counted in, for answers and samples")
    ignore: list[str] = Field([], description="Columns to leave out (numbers of rows, dates, names)")
    categories: list[str] = Field([], description="Columns of numbers that are codes: each value gets a column")
    delimiter: str = Field("", max_length=1, description="What separates fields; empty: the likeliest of , ; | and tab")
    time_ordered: bool = Field(
        False, description="Rows are in time order: the last are the test, those before validation; false: drawn"
    )


class MlpConfig(Config):
    """A multilayer perceptron."""

    hidden: list[Width] = Field([64, 64], description="Units of each hidden layer; empty: linear regression")
    activation: Literal["relu", "gelu", "silu", "tanh", "sigmoid"] = Field(
        "relu", description="Activation of hidden layers"
    )
    norm: Literal["none", "batch", "layer"] = Field("none", description="Normalisation before each activation")
    dropout: float = Field(0.0, ge=0, lt=1, description="Share of hidden units left out at random in training")


class HuberConfig(Config):
    """Squared for small errors, linear for large ones."""

    delta: float = Field(1.0, gt=0, description="Error, in standard deviations of the target, from which it is linear")
