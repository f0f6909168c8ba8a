"""The contract of drawing images: what data sets, models, losses and predictors of this task agree on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dlkit.task import Column, Metrics, Task
from dlkit_gan.info import GanInfo

if TYPE_CHECKING:
    from torch import Tensor

    from dlkit.data.splits import Split
    from dlkit.samples import Sample


class Gan(Task[GanInfo]):
    """Images like those of a set, drawn from noise.

    ``image`` is scaled to [−1, 1]: pixel / 127.5 − 1. A model's ``forward(image)`` is for evaluation: it draws as many
    images and gives the discriminator's logits of the real ones and of the drawn. How it is trained, see
    ``dlkit.engine.adversarial``.
    """

    Info = GanInfo
    batch = {"image": Column("float32[N,C,H,W]")}
    inputs = ("image",)
    outputs = {"image": Column("float32[N,C,H,W]"), "real": Column("float32[N]"), "fake": Column("float32[N]")}

    def ranges(self, info: GanInfo) -> Mapping[str, tuple[float, float]]:
        return {"image": (-1.0, 1.0)}

    def metrics(self, info: GanInfo) -> Metrics[Mapping[str, Tensor]]:
        from dlkit_gan.metrics import GanMetrics

        return GanMetrics(info)

    def preview(self, info: GanInfo, split: Split, count: int) -> Sequence[Sample]:
        from dlkit_gan.preview import grid

        return [grid(split, count)]
