"""The contract of points in the plane: what data sets, models, losses and predictors of this task agree on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from dlkit.task import Column, Metrics, Task
from dlkit_points.info import PointsInfo

if TYPE_CHECKING:
    from torch import Tensor

    from dlkit.data.splits import Batch, Split
    from dlkit.samples import Sample


class Points(Task[PointsInfo]):
    """Two numbers in, one of several classes out.

    ``point`` is scaled: (number − mean) / std. The class is that of the highest score. A model may say more of itself,
    and is then shown better (``dlkit_points.shown``): ``decides`` (``"step"``, ``"sigmoid"``, ``"softmax"``: how scores
    become shares), ``straight`` (whether it draws straight lines and nothing else), ``units(point)`` (the values of
    each layer of hidden units, tensors [N,units]) and ``trace`` (a ``dlkit.nn.trace.Trace`` of its weights).
    """

    Info = PointsInfo
    batch = {"point": Column("float32[N,2]"), "label": Column("int64[N]")}
    inputs = ("point",)
    outputs = Column("float32[N,classes]")

    def ranges(self, info: PointsInfo) -> Mapping[str, tuple[float, float]]:
        return {"label": (0, len(info.classes))}

    def metrics(self, info: PointsInfo) -> Metrics[Tensor]:
        from dlkit_points.metrics import PointsMetrics

        return PointsMetrics(info.classes)

    def constant(self, info: PointsInfo, train: Split) -> Callable[[Batch], Tensor]:
        """The commonest class."""
        from dlkit.data.constant import log_shares, same_for_all, some_of

        return same_for_all(log_shares(some_of(train, "label"), len(info.classes)), "label")

    def preview(self, info: PointsInfo, split: Split, count: int) -> Sequence[Sample]:
        from dlkit_points.preview import cloud

        return [cloud(info, split)]
