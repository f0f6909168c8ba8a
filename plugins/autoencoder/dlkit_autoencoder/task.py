"""The contract of autoencoders: what data sets, models, losses and predictors of this task agree on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from dlkit.task import Column, Metrics, Task
from dlkit_autoencoder.info import AutoencoderInfo

if TYPE_CHECKING:
    from torch import Tensor

    from dlkit.data.splits import Batch, Split
    from dlkit.samples import Sample


class Autoencoder(Task[AutoencoderInfo]):
    """Images squeezed into a few numbers, and back.

    ``image`` is pixel / 255, in [0, 1]. Of the outputs, ``image`` is the reconstruction in the same scale and ``code``
    what it was made from. A model may return more, and offer more, which this plugin's losses, metrics and predictor
    use where it is there:

    - ``log_variance`` float32[N,K], of the normal posterior around ``code`` (word ``variational``), and ``kl``
      float32[N], its divergence from the prior, where that is not the standard normal one; outside training ``drawn``
      float32[N,C,H,W], decoded from a draw of it, which the loss is then of;
    - ``decode(code [N,K]) -> image [N,C,H,W]``: code files are restored, and samples walk through the code;
    - ``new_codes(noise [N,prior]) -> code [N,K]``, codes from the prior, of ``prior`` standard normal numbers each;
    - ``corrupted(image) -> image``: what it learns to restore from; in evaluation mode the same every time.
    """

    Info = AutoencoderInfo
    batch = {"image": Column("float32[N,C,H,W]")}
    inputs = ("image",)
    outputs = {"image": Column("float32[N,C,H,W]"), "code": Column("float32[N,K]")}

    def ranges(self, info: AutoencoderInfo) -> Mapping[str, tuple[float, float]]:
        return {"image": (0, 1)}

    def metrics(self, info: AutoencoderInfo) -> Metrics[Mapping[str, Tensor]]:
        from dlkit_autoencoder.metrics import AutoencoderMetrics

        return AutoencoderMetrics(info.principal)

    def constant(self, info: AutoencoderInfo, train: Split) -> Callable[[Batch], Mapping[str, Tensor]]:
        """The mean image, of a code that says nothing."""
        from dlkit.data.constant import same_for_all, some_of

        mean = same_for_all(some_of(train, "image").mean(0), "image")
        return lambda batch: {"image": mean(batch), "code": batch["image"].new_zeros(len(batch["image"]), 1)}

    def preview(self, info: AutoencoderInfo, split: Split, count: int) -> Sequence[Sample]:
        from dlkit_autoencoder.preview import grid

        return [grid(info, split, count)]
