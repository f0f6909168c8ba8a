"""The contract of this task, and its components' options: pydantic, no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlkit.config import Config
from dlkit.task import Column, Info, Metrics, Task
from pydantic import Field

if TYPE_CHECKING:
    from torch import Tensor


class DrawnOptions(Config):
    """Which throws are drawn."""

    train: int = Field(2000, ge=8, le=1_000_000, description="Throws to train on")
    held_out: int = Field(400, ge=8, le=100_000, description="Throws to validate on, and as many to test on")
    noise: float = Field(0.1, ge=0, le=10, description="Deviation of the measured heights in training, in metres")


class LayersOptions(Config):
    """The network's options."""

    width: int = Field(64, ge=1, le=4096, description="Units of each hidden layer")
    depth: int = Field(2, ge=1, le=16, description="Hidden layers")


class FlightInfo(Info):
    """What a checkpoint must know to answer without the data set."""

    names: list[str] = Field(description="the numbers of a throw")
    low: list[float] = Field(description="the least of each")
    high: list[float] = Field(description="the greatest of each")
    seconds: list[float] = Field(description="when the height is measured")
    metres: float = Field(gt=0, description="height that an output of 1 stands for")


class Flight(Task[FlightInfo]):
    """``throw``: angle, speed, gravity, each scaled from its limits to [-1, 1]. ``height``: in units of ``metres``."""

    Info = FlightInfo
    batch = {"throw": Column("float32[N,names]"), "height": Column("float32[N,seconds]")}
    inputs = ("throw",)
    outputs = Column("float32[N,seconds]")

    def metrics(self, info: FlightInfo) -> Metrics[Tensor]:
        from dlkit_my_plugin.parts import Distance

        return Distance(info.metres)
