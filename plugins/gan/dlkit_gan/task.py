"""The contract of drawing images: what data sets, models, losses and predictors of this task agree on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pydantic import Field

from dlkit.task import Array, Column, Info, Metrics, Task
from dlkit_gan.options import Look

if TYPE_CHECKING:
    from dlkit.data.splits import Split
    from dlkit.samples import Sample


class GanInfo(Info):
    """The form of the images, and the judge that tells how like two sets of them are."""

    shape: tuple[int, int, int] = Field(description="channels (1: grey, 3: RGB), height, width of an image")
    look: Look = Field(description="what the judge was trained to see")
    classes: list[str] = Field(min_length=2, description="names of what the judge tells apart, by label")
    judge: Array = Field(description="float32 [weights]: the judge's, flat")


class Gan(Task):
    """Images like those of a set, drawn from noise.

    ``image`` is scaled to [−1, 1]: pixel / 127.5 − 1. A model's ``forward(image)`` is for evaluation: it draws as many
    images and gives the discriminator's logits of the real ones and of the drawn. How it is trained, see
    ``dlkit.engine.adversarial``.
    """

    Info = GanInfo
    batch = {"image": Column("float32[N,C,H,W]")}
    inputs = ("image",)
    outputs = {"image": Column("float32[N,C,H,W]"), "real": Column("float32[N]"), "fake": Column("float32[N]")}

    def metrics(self, info: Any) -> Metrics:
        from dlkit_gan.metrics import GanMetrics

        return GanMetrics(info)

    def preview(self, info: Any, split: Split, count: int) -> Sequence[Sample]:
        import torch

        from dlkit.samples import Images
        from dlkit_gan.storage import ENCODING

        index = torch.linspace(0, len(split) - 1, min(count, len(split))).long()
        pixels = ENCODING.pixels(split.take(index)["image"])
        return [Images(name="images", title=f"Of {len(split):,} images", images=pixels)]
