"""The contract of localization: what data sets, models, losses and predictors of this task agree on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from dlkit.task import Column, Metrics, Task
from dlkit_localization.info import LocalizationInfo

if TYPE_CHECKING:
    from torch import Tensor

    from dlkit.data.splits import Batch, Split
    from dlkit.samples import Sample


class Localization(Task[LocalizationInfo]):
    """One object at most in an image: is there one, where, and which class.

    ``image`` is normalised: (pixel / 255 − mean) / std. Where there is an object, ``present`` is 1, ``box`` its centre
    x, y, width and height relative to the image's, ``label`` its class; else 0, zeros and −1.

    ``outputs`` [N, 5 + classes] are the logit of "there is an object", the box as the batch has it (not squashed), and
    the logits of the classes, so any network with that many outputs fits.
    """

    Info = LocalizationInfo
    batch = {
        "image": Column("float32[N,C,H,W]"),
        "present": Column("float32[N]"),
        "box": Column("float32[N,4]"),
        "label": Column("int64[N]"),
    }
    inputs = ("image",)
    outputs = Column("float32[N,outputs]")

    def axes(self, info: LocalizationInfo) -> Mapping[str, int]:
        return {**super().axes(info), "outputs": 5 + len(info.classes)}

    def ranges(self, info: LocalizationInfo) -> Mapping[str, tuple[float, float]]:
        # A centre within the middle half and a size below it: every box lies within its image.
        return {"label": (-1, len(info.classes)), "present": (1, 1), "box": (0.25, 0.5)}

    def example(
        self, info: LocalizationInfo, count: int = 2, *, sizes: Mapping[str, int] | None = None, seed: int = 0
    ) -> dict[str, Tensor]:
        """As any, with an object in every image: its label is one of the classes."""
        drawn = super().example(info, count, sizes=sizes, seed=seed)
        return {**drawn, "label": drawn["label"].clamp(min=0)}

    def metrics(self, info: LocalizationInfo) -> Metrics[Tensor]:
        from dlkit_localization.metrics import LocalizationMetrics

        return LocalizationMetrics()

    def scores(self, outputs: Tensor, info: LocalizationInfo) -> Mapping[str, Tensor]:
        """The logit of each class, and of there being an object at all (``any object``)."""
        from dlkit_localization.outputs import parts

        found = parts(outputs)
        return {**dict(zip(info.classes, found.classes.unbind(1), strict=True)), "any object": found.present}

    def constant(self, info: LocalizationInfo, train: Split) -> Callable[[Batch], Tensor]:
        """An object of the commonest class in the mean place, or none, whichever is commoner."""
        from dlkit_localization.outputs import constant

        return constant(train, len(info.classes))

    def preview(self, info: LocalizationInfo, split: Split, count: int) -> Sequence[Sample]:
        from dlkit_localization.preview import balance, grid

        return [balance(info, split), grid(info, split, count)]
