"""The data set's options: pydantic, no torch."""

from __future__ import annotations

from dlkit.config import Config
from dlkit.data.options import Location
from pydantic import Field


class Options(Config):
    """A file, or what is drawn."""

    path: Location | None = Field(None, description="A CSV file of lengths, angles and times; none: they are drawn")
    train: int = Field(1000, ge=12, le=1_000_000, description="Rows to train on")
    held_out: int = Field(200, ge=12, le=100_000, description="Rows to validate on, and as many to test on")
    noise: float = Field(0.02, ge=0, le=10, description="Deviation of the measured time, in seconds")
