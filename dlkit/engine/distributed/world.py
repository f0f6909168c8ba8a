"""``World``: the processes that train one run together. One process is a world of its own, by the same path.

Rank 0 looks at clocks, commands and signals and says what all do; they agree at steps that are known beforehand, so
nothing is exchanged at other steps but gradients. What is exchanged is numbers and JSON, never pickle.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeVar

from torch import Tensor, nn

V = TypeVar("V")


class World:
    """One process. ``rank`` of ``size``; ``local_rank`` is the rank on this machine."""

    # The same methods for one process: the engine has no second path that several processes alone would try.
    rank = 0
    size = 1
    local_rank = 0

    @property
    def rank_zero(self) -> bool:
        """Whether this is rank 0, which writes events and checkpoints."""
        return self.rank == 0

    def share(self, message: Mapping[str, V] | None) -> dict[str, V]:
        """Rank 0's message (JSON values), on every rank."""
        return dict(message or {})

    def any(self, flag: bool) -> bool:
        """Whether the flag is set on any rank."""
        return flag

    def mean(self, values: Sequence[float]) -> list[float]:
        """The ranks' mean of each value."""
        return list(values)

    def sum(self, tensor: Tensor | None) -> Tensor | None:
        """The sum over ranks; None stands for zeros, where a rank has seen nothing."""
        return tensor

    def average(self, tensors: Sequence[Tensor]) -> None:
        """The ranks' mean of each tensor, in its place."""

    def gather(self, data: bytes) -> list[bytes]:
        """Every rank's data, by rank."""
        return [data]

    @contextmanager
    def rank_zero_first(self) -> Iterator[None]:
        """Rank 0 does what is inside before the others do (downloads, caches)."""
        yield

    def wrap(self, module: nn.Module) -> nn.Module:
        """The module for training: its gradients become the ranks' mean."""
        return module

    def align(self, module: nn.Module) -> None:
        """Rank 0's buffers (running statistics) on every rank."""

    def close(self) -> None:
        """Leave the others."""
