"""Options of the components; no torch here."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from dlkit.config import Config
from dlkit.data.options import Location, Shares

Width = Annotated[int, Field(ge=1, le=4096)]
Input = Literal["x", "y", "xx", "yy", "xy", "sinx", "siny"]
Activation = Literal["tanh", "relu", "sigmoid", "gelu", "silu"]
MOST_CLASSES = 10
"""Classes of a file: as many colours as can be told apart."""


class Points(Shares):
    """Points that are drawn at random."""

    points: int = Field(400, ge=12, le=100_000, description="How many are drawn, of all classes together")
    seed: int = Field(0, ge=0, description="Which points are drawn is a function of it")
    val_fraction: float = Field(0.25, gt=0, lt=1, description="Share of the points for validation")
    test_fraction: float = Field(0.25, ge=0, lt=1, description="Share of the points for the test; 0: no test split")


class GateConfig(Points):
    """A truth table: the corners of a square, each a cloud of points."""

    noise: float = Field(0.08, ge=0, le=1, description="Spread of each cloud; 0: the four corners and nothing else")


class BlobsConfig(Points):
    """A round cloud for each class."""

    classes: int = Field(3, ge=2, le=4, description="How many classes")
    noise: float = Field(0.3, ge=0, le=5, description="Spread of a cloud; their centres lie on a circle of radius 1")


class MoonsConfig(Points):
    """Half-moons that hold on to one another."""

    classes: int = Field(2, ge=2, le=4, description="How many half-moons")
    noise: float = Field(0.12, ge=0, le=5, description="Spread of the points around the moons, whose radius is 1")


class CirclesConfig(Points):
    """Rings around one another."""

    classes: int = Field(2, ge=2, le=4, description="How many rings; the outermost has radius 1")
    noise: float = Field(0.06, ge=0, le=5, description="Spread of the points around the rings")


class SpiralConfig(Points):
    """Arms that wind around one another."""

    classes: int = Field(2, ge=2, le=4, description="How many arms")
    noise: float = Field(0.02, ge=0, le=5, description="Spread of the points around the arms, which reach to radius 1")
    turns: float = Field(1.25, gt=0, le=5, description="How often an arm goes around")


class FilesConfig(Shares):
    """A CSV file of your own with two columns of numbers and a label."""

    path: Location = Field(description="The CSV file, with a header")
    x: str = Field("", description="Column across; empty: the first column of numbers that is not the label")
    y: str = Field("", description="Column upwards; empty: the next one")
    label: str = Field("", description="Column of the classes; empty: the last one")
    delimiter: str = Field("", max_length=1, description="What separates fields; empty: the likeliest of , ; | and tab")
    encoding: str = Field(
        "auto", min_length=1, description="Of the file: auto (its byte order mark, else UTF-8), cp1252, latin-1, …"
    )
    missing: Literal["refuse", "drop"] = Field("refuse", description="Rows with an empty cell: stop, or leave them out")
    val_fraction: float = Field(0.25, gt=0, lt=1, description="Share of the rows for validation")
    test_fraction: float = Field(0.25, ge=0, lt=1, description="Share of the rows for the test; 0: no test split")
    split_seed: int = Field(0, ge=0, description="Which rows go to which split is a function of it")


class LinearConfig(Config):
    """A model without hidden units: what it divides, it divides by straight lines in its inputs."""

    inputs: list[Input] = Field(
        ["x", "y"], min_length=1, description="What it sees of a point; with xx, yy, xy, sinx or siny lines may bend"
    )

    @model_validator(mode="after")
    def _each_once(self) -> LinearConfig:
        twice = {name for name in self.inputs if self.inputs.count(name) > 1}
        if twice:
            raise ValueError(f"inputs names {min(twice)} twice")
        return self


class MlpConfig(LinearConfig):
    """A multilayer perceptron."""

    hidden: list[Width] = Field([8, 8], max_length=12, description="Units of each hidden layer; empty: none")
    activation: Activation = Field("tanh", description="What hidden units make of their sum")


def _rejoined(names: object) -> object:
    """Names as they were before a command line's list was divided at every comma: ``weight[0,1]`` is one."""
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return names
    return [name.strip() for name in re.split(r",(?![^\[]*\])", ",".join(names)) if name.strip()]


class ExplorerConfig(Config):
    """What the pictures show."""

    surface: Literal["weights", "descent"] = Field(
        "weights",
        description="Error surface over two weights, or over the two directions in which most of descent went",
    )
    weights: Annotated[list[str], BeforeValidator(_rejoined), Field(max_length=2)] = Field(
        [],
        description="The two weights, as layers.0.weight[0,1]; empty: those of the first unit to both inputs",
    )
    detail: int = Field(160, ge=16, le=640, description="Pixels across of the picture of decision regions")
    units: int = Field(32, ge=0, le=100, description="Hidden units whose maps are shown at most")

    @model_validator(mode="after")
    def _two(self) -> ExplorerConfig:
        if len(self.weights) == 1 or len(set(self.weights)) < len(self.weights):
            raise ValueError(f"weights names two different weights, not {', '.join(self.weights)} alone")
        return self
