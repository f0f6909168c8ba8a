"""Options of the components; no torch here."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from dlkit.config import Config, at_fork
from dlkit.data.options import Lists, Location, Shares

Width = Annotated[int, Field(ge=1)]
Missing = Literal["refuse", "drop", "mean", "median", "category"]
FitOn = Literal["train", "train+val"]
FIT_ON = "Rows that means, deviations and categories are taken from"


def _spelled(sign: object) -> object:
    """A tab is hard to type."""
    return {"\\t": "\t", "tab": "\t"}.get(sign, sign) if isinstance(sign, str) else sign


Sign = Annotated[str, BeforeValidator(_spelled), Field(max_length=1)]


class Fractions(Shares):
    """How one table is split."""

    val_fraction: float = Field(0.15, gt=0, lt=1, description="Share of the rows for validation")
    test_fraction: float = Field(0.15, ge=0, lt=1, description="Share of the rows for the test; 0: no test split")
    split_seed: int = Field(0, ge=0, description="Which rows go to which split is a function of it")
    fit_on: FitOn = Field("train", description=FIT_ON)


class DiabetesConfig(Fractions):
    """scikit-learn's diabetes table."""


class BikeSharingConfig(Config):
    """Hourly bike rentals, split by time."""

    test_days: int = Field(21, ge=1, description="Days at the end that are the test split")
    val_days: int = Field(60, ge=1, description="Days before those that are the validation split")
    fit_on: FitOn = Field("train", description=FIT_ON)


class FilesConfig(Fractions, Lists):
    """A CSV file of your own, with a header."""

    path: Location = Field(description="The CSV file")
    target: str = Field("", description="Column to predict; empty: the last one")
    unit: str = Field("", description="What the target is counted in, for answers and samples")
    ignore: list[str] = Field(
        [],
        description="Columns to leave out (numbers of rows, names); '': those without a name",
        json_schema_extra={"takes_empty": True},
    )
    categories: list[str] = Field([], description="Columns of numbers that are codes: each value gets a column")
    numbers: Literal["auto", "point", "comma", "plain"] = Field(
        "auto", description="Decimal mark: as all cells of a column show, a point, a comma; plain: as programs write"
    )
    point_columns: list[str] = Field([], description="Columns of numbers with a decimal point, whatever others have")
    comma_columns: list[str] = Field([], description="Columns of numbers with a decimal comma, whatever others have")
    missing: Missing = Field(
        "refuse", description="Rows with a missing value: stop, leave out, or fill (category: and say so in a feature)"
    )
    missing_words: list[str] = Field([], description="Cells that stand for no value, besides empty ones, NA, null, …")
    outliers: Literal["refuse", "keep"] = Field(
        "refuse", description="A number beside which all others are one, as marks of missing data are: stop, or take it"
    )
    unknown: Literal["refuse", "zeros"] = Field(
        "refuse", description="In a row to predict, a category never trained on: refuse it, or take none of the known"
    )
    dates: Literal["features", "refuse", "off"] = Field(
        "features", description="Dates: year, month, day, weekday and hour; stop; off: words or numbers like others"
    )
    date_order: Literal["auto", "dmy", "mdy"] = Field(
        "auto", description="Of dates such as 5/4/2023: as all cells of a column show, day first, month first"
    )
    delimiter: Sign = Field("", description="What separates fields; empty: the likeliest of , ; | and tab")
    encoding: str = Field(
        "auto", min_length=1, description="Of the file: auto (its byte order mark, else UTF-8), cp1252, latin-1, …"
    )
    time_ordered: bool = Field(
        False, description="Rows are in time order: the last are the test, those before validation; false: drawn"
    )
    group: str = Field("", description="Column whose equal values stay in one split (a patient's rows); no feature")
    stratify: str = Field("", description="Column whose values every split has in proportion; of many numbers, tenths")
    split_column: str = Field("", description="Column that says train, val or test of each row; no feature")
    train_list: Location | None = Field(None, description="Text file with the training rows: numbers from 1, or ids")
    val_list: Location | None = Field(None, description="Text file with the validation rows")
    test_list: Location | None = Field(None, description="Text file with the test rows")
    id_column: str = Field("", description="Column that the lists name rows by; empty: by number; no feature")

    @model_validator(mode="after")
    def _one_way_to_split(self) -> Self:
        ways = {
            "time_ordered": self.time_ordered,
            "group or stratify": bool(self.group or self.stratify),
            "split_column": bool(self.split_column),
        }
        given = [name for name, used in ways.items() if used]
        if self.train_list:
            given = [name for name in [*given, "train_list"] if name != "group or stratify"]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} are two ways to divide the rows: name one")
        if self.id_column and not self.train_list:
            raise ValueError("id_column needs a train_list")
        return self


def migrated(fields: dict[str, object], version: int) -> dict[str, object]:
    """Options of an earlier version as they are now: what they lack means what was done then."""
    return {"fit_on": "train+val", **fields}


def migrated_files(fields: dict[str, object], version: int) -> dict[str, object]:
    """The same of a table of one's own, in which nothing was looked for."""
    return {"numbers": "plain", "dates": "off", "outliers": "keep", **migrated(fields, version)}


class MlpConfig(Config):
    """A multilayer perceptron."""

    hidden: list[Width] = Field([64, 64], description="Units of each hidden layer; empty: linear regression")
    activation: Literal["relu", "gelu", "silu", "tanh", "sigmoid"] = Field(
        "relu", description="Activation of hidden layers"
    )
    norm: Literal["none", "batch", "layer"] = Field("none", description="Normalisation before each activation")
    dropout: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Share of hidden units left out at random in training",
        json_schema_extra=at_fork("exact"),
    )


class HuberConfig(Config):
    """Squared for small errors, linear for large ones."""

    delta: float = Field(1.0, gt=0, description="Error, in standard deviations of the target, from which it is linear")
