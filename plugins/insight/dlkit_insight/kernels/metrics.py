"""How near a model's kernels come to an image's filtered version, and to the kernel that made it."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlkit.task import OverRanks, together
from dlkit_insight.kernels.info import KernelsInfo
from dlkit_insight.kernels.losses import difference


class KernelMetrics:
    """``mse`` and ``kernel_error`` of the kernel that comes nearest: the squared difference of images, and the largest
    difference of two weights, where the kernel is known. Of kernels of two sizes, the smaller has zeros around it."""

    def __init__(self, info: KernelsInfo) -> None:
        self._info = info
        self._sums: Tensor | None = None
        self._count = 0
        self._error: float | None = None

    def update(self, outputs: Tensor, batch: Mapping[str, Tensor]) -> None:
        found = difference(outputs, batch["filtered"], self._info.clipped).double().mean((2, 3, 4)).sum(0)
        self._sums = found if self._sums is None else self._sums + found
        self._count += len(outputs)

    def ask(self, model: nn.Module, batch: Mapping[str, Tensor], thorough: bool) -> None:
        if self._info.kernel is not None and self._error is None:
            known = torch.as_tensor(self._info.kernel, dtype=torch.float32)
            self._error = min(kernel_error(kernel.cpu(), known) for kernel in model.kernels().values())  # type: ignore[operator]

    def reduce(self, over_ranks: OverRanks) -> None:
        self._sums = over_ranks(self._sums)
        # The kernels are everybody's, but who has no batch has not looked at them: rank 0 of one image, say.
        errors = together(None if self._error is None else torch.tensor([self._error], dtype=torch.float64), over_ranks)
        self._error = None if errors is None else float(errors[0])
        count = over_ranks(torch.tensor(float(self._count)))
        assert count is not None
        self._count = int(count)

    def compute(self) -> dict[str, float]:
        if self._sums is None:
            return {}
        found = {"mse": float(self._sums.min()) / self._count}
        return found if self._error is None else {**found, "kernel_error": self._error}


def kernel_error(one: Tensor, other: Tensor) -> float:
    """The largest difference of two weights, kernels [h,w] laid with their middles on one another."""
    height, width = (max(sizes) for sizes in zip(one.shape, other.shape, strict=True))
    both = [_amid(kernel, height, width) for kernel in (one, other)]
    return float((both[0] - both[1]).abs().max())


def _amid(kernel: Tensor, height: int, width: int) -> Tensor:
    top, left = height // 2 - kernel.shape[0] // 2, width // 2 - kernel.shape[1] // 2
    below, right = height - kernel.shape[0] - top, width - kernel.shape[1] - left
    return F.pad(kernel, (left, right, top, below))
