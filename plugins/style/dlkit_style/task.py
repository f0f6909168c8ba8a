"""The contract of style transfer: what data sets, models, losses and predictors of this task agree on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dlkit.task import Column, Metrics, Task
from dlkit_style.info import StyleInfo

if TYPE_CHECKING:
    from torch import Tensor

    from dlkit.data.splits import Split
    from dlkit.samples import Sample


class Style(Task[StyleInfo]):
    """A picture with one picture's content and the style of others (Gatys, Ecker and Bethge 2016).

    There is one sample: the content, RGB scaled to [0, 1]. A model's parameters are the pixels of a new picture;
    ``forward(content)`` gives it as ``image``, and how far it is from content and styles at each layer that it is
    looked at through, as scalars by the layer's name in ``content`` and ``style`` (``dlkit_style.picture``).
    """

    Info = StyleInfo
    batch = {"content": Column("float32[N,3,H,W]")}
    inputs = ("content",)
    outputs = {"image": Column("float32[N,3,H,W]")}

    def ranges(self, info: StyleInfo) -> Mapping[str, tuple[float, float]]:
        return {"content": (0, 1)}

    def metrics(self, info: StyleInfo) -> Metrics[Mapping[str, Tensor]]:
        from dlkit_style.metrics import PictureMetrics

        return PictureMetrics()

    def preview(self, info: StyleInfo, split: Split, count: int) -> Sequence[Sample]:
        from dlkit_style.gallery import beside

        return [beside(info)]
