"""Options of the components in ``faults``: pydantic, no torch."""

from __future__ import annotations

from pydantic import Field

from dlkit.config import Config


class DeepConfig(Config):
    """The network, and when it fails."""

    hidden: list[int] = Field([16, 16], description="Units of each hidden layer")
    offset: float = Field(0.0, description="Added to every hidden bias at first: far below 0, units are dead")
    good_steps: int = Field(3, ge=0, description="Training steps before the failing one")


class FailingConfig(Config):
    """When it fails."""

    good_steps: int = Field(3, ge=0, description="Batches before the failing one")


class FaultyPlaneConfig(Config):
    """What is wrong with it, and when."""

    points: int = Field(96, ge=8, description="Samples in the training split")
    noise: float = Field(0.1, ge=0, description="Standard deviation of what is added to y")
    good_samples: int = Field(40, ge=0, description="Samples before the one that is missing")
