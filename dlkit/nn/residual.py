"""The residual block."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping

from torch import Tensor, nn


class Residual(nn.Sequential):
    """x + f(x), f being ``layers`` one after the other (He et al. 2016, arXiv 1512.03385); ``after``: of the sum.

    The layers have names because checkpoints do: they begin those of the block's parameters.
    """

    def __init__(self, layers: Mapping[str, nn.Module], after: Callable[[Tensor], Tensor] | None = None) -> None:
        super().__init__(OrderedDict(layers))
        self._after = after

    def forward(self, x: Tensor) -> Tensor:
        found = x
        for layer in self:
            found = layer(found)
        return x + found if self._after is None else self._after(x + found)
