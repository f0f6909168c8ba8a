"""The contract of regression: what data sets, models, losses and predictors of this task agree on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from dlkit.task import Column, Metrics, Task
from dlkit_regression.info import RegressionInfo

if TYPE_CHECKING:
    from torch import Tensor

    from dlkit.data.splits import Batch, Split
    from dlkit.samples import Sample


class Regression(Task[RegressionInfo]):
    """One number for each row of a table.

    ``features`` are encoded, ``target`` and outputs standardised, as ``info`` says.
    """

    Info = RegressionInfo
    batch = {"features": Column("float32[N,F]"), "target": Column("float32[N,1]")}
    inputs = ("features",)
    outputs = Column("float32[N,1]")

    def axes(self, info: RegressionInfo) -> Mapping[str, int]:
        return {"F": len(info.features)}

    def metrics(self, info: RegressionInfo) -> Metrics[Tensor]:
        from dlkit_regression.metrics import RegressionMetrics

        return RegressionMetrics(info.target.std)

    def constant(self, info: RegressionInfo, train: Split) -> Callable[[Batch], Tensor]:
        """The mean of the targets."""
        from dlkit.data.constant import same_for_all, some_of

        return same_for_all(some_of(train, "target").mean(0), "target")

    def preview(self, info: RegressionInfo, split: Split, count: int) -> Sequence[Sample]:
        from dlkit_regression.preview import columns, distribution, rows

        return [columns(info, split), rows(info, split, count), distribution(info, split)]
