"""Apple's GPUs."""

from __future__ import annotations

import torch
from torch import Tensor

from dlkit.engine.device.base import Device, Memory
from dlkit.errors import UsageError


class Mps(Device):
    """The one GPU of a Mac. bf16 and channels last gain nothing there, and there are no fused optimizers."""

    kind = "mps"
    lowers = False
    process_group = ""  # Gloo exchanges no tensors of MPS, and processes would share the one GPU

    @classmethod
    def count(cls) -> int:
        return int(torch.backends.mps.is_available())

    @classmethod
    def find(cls, wanted: str, index: int | None) -> Mps:
        if not cls.count():
            raise UsageError(f"engine.device = {wanted!r}: not available here; there is: cpu")
        return cls()

    def model_name(self) -> str:
        return "Apple GPU"

    def memory(self) -> Memory:
        # Of the memory that all share, what Metal advises to use.
        return Memory(torch.mps.driver_allocated_memory(), torch.mps.recommended_max_memory())

    def peak(self) -> int:
        return torch.mps.driver_allocated_memory()  # which torch gives back to nobody while it goes

    def inexactness(self, deterministic: bool) -> str:
        # torch.use_deterministic_algorithms knows nothing of Metal's kernels: it refuses none of them.
        return "MPS kernels: equal to rounding"

    def synchronize(self) -> None:
        torch.mps.synchronize()

    def seed(self, seed: int) -> None:
        torch.mps.manual_seed(seed)

    def generator_state(self) -> Tensor | None:
        return torch.mps.get_rng_state()

    def set_generator_state(self, state: Tensor) -> None:
        torch.mps.set_rng_state(state)
