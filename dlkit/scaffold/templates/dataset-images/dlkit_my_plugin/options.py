"""The data set's options: pydantic, no torch."""

from __future__ import annotations

from dlkit.config import Config
from pydantic import Field


class Options(Config):
    """What is drawn."""

    train: int = Field(1500, ge=12, le=100_000, description="Images to train on")
    held_out: int = Field(300, ge=12, le=100_000, description="Images to validate on, and as many to test on")
    size: int = Field(16, ge=12, le=128, description="Height and width of an image")
    noise: float = Field(0.2, ge=0, le=1, description="Deviation of each pixel, as a share of white")
