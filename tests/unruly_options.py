"""The options of the plugin planted to disturb: pydantic, no torch."""

from __future__ import annotations

from pydantic import Field

from dlkit.config import Config
from dlkit.engine.options import SupervisedConfig


class UnrulyConfig(Config):
    """How to misbehave."""

    way: str = Field(description="What to do wrong, as the part's code spells it")


class UnrulyTrainerConfig(SupervisedConfig):
    """The built-in trainer's options, and how to misbehave."""

    way: str = Field(description="What to do wrong, as the part's code spells it")
