"""The contract of detection: what data sets, models, losses and predictors of this task agree on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from dlkit.task import Column, Metrics, Task
from dlkit_detection.info import DetectionInfo

if TYPE_CHECKING:
    from torch import Tensor

    from dlkit.data.splits import Batch, Split
    from dlkit.samples import Sample


class Detection(Task[DetectionInfo]):
    """Several objects in an image: where, and which class each.

    ``image`` is normalised: (pixel / 255 − mean) / std. Boxes are corners (x1, y1, x2, y2) in pixels of that image; an
    image with fewer objects than its batch's fullest has labels of −1 at the end. A label of −2 − class is an object
    that is neither to be found nor a mistake to find (``dlkit_detection.ignored``).

    A model looks at A places of an image (cells of a grid, points of a pyramid) and says of each which ``boxes`` it
    sees there, in pixels and whatever its own grid, and how sure it is, from 0 to 1, that this is an object of each
    class (``scores``). That is all that metrics and predictors ask for. A model returns whatever else its loss needs
    beside them, under other keys: see ``dlkit_detection.places`` for what the losses here ask for.
    """

    Info = DetectionInfo
    batch = {
        "image": Column("float32[N,C,H,W]"),
        "boxes": Column("float32[N,M,4]", padding=0),
        "labels": Column("int64[N,M]", padding=-1),
    }
    inputs = ("image",)
    free = frozenset({"M"})
    outputs = {"boxes": Column("float32[N,A,4]"), "scores": Column("float32[N,A,classes]")}

    def axes(self, info: DetectionInfo) -> Mapping[str, int]:
        return {**super().axes(info), "M": 3}

    def example(
        self, info: DetectionInfo, count: int = 2, *, sizes: Mapping[str, int] | None = None, seed: int = 0
    ) -> dict[str, Tensor]:
        """Every object is in the middle of its image and of half its size at most."""
        batch = super().example(info, count, sizes=sizes, seed=seed)
        height, width = info.shape[1:]
        centre = batch["boxes"].new_tensor([width / 2, height / 2])
        half = batch["boxes"][..., :2].sigmoid() * centre / 2 + 1
        return {**batch, "boxes": (centre + half.new_tensor([-1, 1])[:, None] * half[..., None, :]).flatten(-2)}

    def ranges(self, info: DetectionInfo) -> Mapping[str, tuple[float, float]]:
        return {"labels": (0, len(info.classes))}

    def metrics(self, info: DetectionInfo) -> Metrics[Mapping[str, Tensor]]:
        from dlkit_detection.metrics import DetectionMetrics

        return DetectionMetrics(info)

    def scores(self, outputs: Mapping[str, Tensor], info: DetectionInfo) -> Mapping[str, Tensor]:
        """The logit of each class at the place that is surest of it."""
        found = outputs["scores"].float().clamp(1e-6, 1 - 1e-6).logit().amax(1)
        return dict(zip(info.classes, found.unbind(1), strict=True))

    def constant(self, info: DetectionInfo, train: Split) -> Callable[[Batch], Mapping[str, Tensor]]:
        """Nothing is found: a box that fits many images by chance would be no answer to where things are."""

        def nothing(batch: Batch) -> Mapping[str, Tensor]:
            image = batch["image"]
            return {
                "boxes": image.new_zeros(len(image), 1, 4),
                "scores": image.new_zeros(len(image), 1, len(info.classes)),
            }

        return nothing

    def preview(self, info: DetectionInfo, split: Split, count: int) -> Sequence[Sample]:
        from dlkit_detection.preview import balance, pictures

        return [balance(info, split), *pictures(info, split, count)]
