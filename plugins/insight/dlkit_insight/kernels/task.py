"""The contract of filtering: what data sets, models, losses and predictors of this task agree on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dlkit.task import Column, Metrics, Task
from dlkit_insight.kernels.info import KernelsInfo

if TYPE_CHECKING:
    from torch import Tensor

    from dlkit.data.splits import Split
    from dlkit.samples import Sample


class Kernels(Task[KernelsInfo]):
    """Images and what a kernel makes of them, of the same size, channel by channel.

    ``image`` is pixel / 255. ``outputs`` are what each of a model's K kernels makes of it. A model says which they are:
    ``kernels() -> {name: float tensor [h,w]}``.
    """

    Info = KernelsInfo
    batch = {"image": Column("float32[N,C,H,W]"), "filtered": Column("float32[N,C,H,W]")}
    inputs = ("image",)
    outputs = Column("float32[N,K,C,H,W]")
    free = frozenset({"H", "W"})

    def ranges(self, info: KernelsInfo) -> Mapping[str, tuple[float, float]]:
        return {"image": (0, 1), "filtered": (0, 1)}

    def metrics(self, info: KernelsInfo) -> Metrics[Tensor]:
        from dlkit_insight.kernels.metrics import KernelMetrics

        return KernelMetrics(info)

    def preview(self, info: KernelsInfo, split: Split, count: int) -> Sequence[Sample]:
        from dlkit_insight.kernels.filtering import preview

        return preview(info, split, count)
