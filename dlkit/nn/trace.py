"""The way that a small model's weights have come while it learnt, in its own state."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

MOST = 1024
"""Steps that are kept at most: of longer ways every second, fourth … one."""
NUMBERS = 1 << 22
"""Numbers that are kept at most; a model for which that is less than ``LEAST`` steps keeps none."""
LEAST = 64


class Trace(nn.Module):
    """Buffers that hold a model's parameters, flat, step by step: saved and resumed with it.

    Whoever changes the weights calls ``record`` once a step. ``size``: how many numbers they are. Rows that are not
    there yet are NaN, which moving averages leave alone.
    """

    way: Tensor
    count: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        room = min(MOST, NUMBERS // max(1, size)) // 2 * 2
        room = room if room >= LEAST else 0
        self.register_buffer("way", torch.full((room, size if room else 0), torch.nan))
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))
        self._steps, self._stride = 0, 1
        self.register_load_state_dict_post_hook(_read_again)  # type: ignore[no-untyped-call]

    @torch.no_grad()
    def record(self, parameters: Sequence[Tensor]) -> None:
        """Keep the weights as they are now, unless it is none of the steps that are kept."""
        room = len(self.way)
        if room and self._steps % self._stride == 0:
            place = self._steps // self._stride
            if place == room:
                place, self._stride = room // 2, self._stride * 2
                self.way[:place] = self.way[::2].clone()
                self.way[place:] = torch.nan
            torch.cat([p.reshape(-1) for p in parameters], out=self.way[place])
        self._steps += 1
        self.count += 1

    def path(self) -> Tensor:
        """float32 [steps kept, size], on the CPU, the first of all steps first."""
        return self.way[: -(-self._steps // self._stride)].detach().cpu()


def _read_again(trace: nn.Module, _: object) -> None:
    """The counters, which steps read without waiting for a device, as the loaded state has them."""
    assert isinstance(trace, Trace)
    trace._steps, trace._stride = int(trace.count), 1
    while len(trace.way) and trace._steps > trace._stride * len(trace.way):
        trace._stride *= 2
