"""Options of the components; no torch here."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from dlkit.config import CHANGEABLE, Config, at_fork

Width = Annotated[int, Field(ge=1)]


class MlpConfig(Config):
    """A multilayer perceptron."""

    hidden: list[Width] = Field([32], description="Units of each hidden layer; empty: a linear model")
    activation: Literal["sigmoid", "tanh", "relu"] = Field("relu", description="Activation of hidden layers")
    dropout: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Share of hidden units left out at random in training",
        json_schema_extra=at_fork("exact"),
    )


class DescentConfig(Config):
    """Gradient descent by hand. One step a batch: engine.batch_size makes it batch, mini-batch or stochastic."""

    lr: float = Field(0.1, gt=0, description="Learning rate", json_schema_extra=CHANGEABLE)
    momentum: float = Field(0.9, ge=0, lt=1, description="Share of the last step that the next one keeps")
    decay: float = Field(0.0, ge=0, description="The rate at step t is lr / (1 + decay · t); 0: constant")
    l1: float = Field(0.0, ge=0, description="Weight of Σ|w| in what is minimised; biases are left out")
    l2: float = Field(0.0, ge=0, description="Weight of ½Σw² in what is minimised; biases are left out")
