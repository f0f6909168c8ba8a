"""The toy task's contract and options: pydantic, no torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from pydantic import Field

from dlkit.config import Config
from dlkit.samples import Sample, Table
from dlkit.task import Column, Info, Metrics, Task, first_batch

if TYPE_CHECKING:
    from torch import Tensor

    from dlkit.data.splits import Batch, Split


class PlaneConfig(Config):
    """How many points, and how noisy."""

    points: int = Field(96, ge=8, description="Samples in the training split")
    noise: float = Field(0.1, ge=0, description="Standard deviation of what is added to y")
    jitter: float = Field(0.0, ge=0, description="Standard deviation of what training adds to x")
    mapped: bool = Field(False, description="Make samples one by one, as for data that does not fit in memory")


class LinearConfig(Config):
    """The network's options."""

    dropout: float = Field(0.1, ge=0, lt=1, description="Share of inputs left out at a step")
    bias: bool = Field(True, description="Whether to learn an offset")


class FaultyConfig(LinearConfig):
    """When to fail."""

    good_steps: int = Field(3, ge=0, description="Training steps before the failing one")


class ToyInfo(Info):
    """What the plane is like."""

    features: int = Field(description="size of x")
    offset: float = Field(0.0, description="value at the origin, without noise")


class ToyTask(Task[ToyInfo]):
    """x [N,D] → y [N]."""

    Info = ToyInfo
    batch = {"x": Column("float32[N,D]"), "y": Column("float32[N]")}
    inputs = ("x",)
    outputs = Column("float32[N]")

    def axes(self, info: ToyInfo) -> Mapping[str, int]:
        return {"D": info.features}

    def metrics(self, info: ToyInfo) -> Metrics[Tensor]:
        from toy_parts import SquaredError

        return SquaredError()

    def constant(self, info: ToyInfo, train: Split) -> Callable[[Batch], Tensor]:
        from dlkit.data.constant import same_for_all, some_of

        return same_for_all(some_of(train, "y").mean(0), "y")

    def preview(self, info: ToyInfo, split: Split, count: int) -> Sequence[Sample]:
        batch = first_batch(split, count)
        rows = [[*x, y] for x, y in zip(batch["x"].tolist(), batch["y"].tolist(), strict=True)]
        return [Table(name="rows", headers=["a", "b", "c", "y"], rows=rows)]
