"""Options of every kind: numbers with bounds, choices, switches, lists, texts, and what may be absent."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dlkit.config import Config


class LargeConfig(Config):
    """Of the large data set."""

    folder: str = Field("", description="Where it lies")
    share: float = Field(1.0, gt=0, le=1, description="Share of it to use")


class PlainConfig(Config):
    """Of the plain model."""

    width: int = Field(8, ge=1, le=4096, description="Units")
    bias: bool = Field(True, description="Whether there is one")


class DeepConfig(Config):
    """Of the deep model."""

    hidden: tuple[int, ...] = Field((16, 16), description="Units of each layer")
    activation: Literal["relu", "tanh"] = Field("relu", description="Between layers")
    dropout: float = Field(0.0, ge=0, lt=1, description="Share left out")
    norm: bool = Field(False, description="Whether to normalise")


class UsualConfig(Config):
    """Of both trainers."""

    lr: float = Field(0.1, gt=0, description="Learning rate")
    betas: tuple[float, float] = Field((0.9, 0.99), description="Decays")


class AskConfig(Config):
    """Of the predictor."""

    labels: tuple[str, ...] = Field((), description="Names of the answers")
    top: int | None = Field(None, ge=1, description="How many answers")
