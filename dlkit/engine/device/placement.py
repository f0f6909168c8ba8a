"""Where and how a run computes: decided once, at its start, and written down."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from dlkit.config import EngineConfig
from dlkit.engine.device.base import Device


@dataclass(frozen=True)
class Placement:
    """The device and the precision; ``autocast`` is the lower precision, or None for float32. ``threads`` are the
    CPU's, ``threads_why`` what decided their number, if anything did."""

    device: Device
    autocast: torch.dtype | None
    threads: int
    threads_why: str = ""

    @property
    def precision(self) -> str:
        return "bf16" if self.autocast is torch.bfloat16 else "float32"

    @property
    def name(self) -> str:
        """The device as people know it."""
        return self.device.label(self.threads)


def choose_autocast(engine: EngineConfig, device: Device, model: nn.Module, lowers: bool) -> torch.dtype | None:
    """bf16 or None. ``lowers``: whether the trainer honours a lower precision.

    ``auto`` takes bf16 where the device multiplies it and the model gains from that. A model in whose layers this does
    not show says so itself: a module with ``gains_from_bf16 = True``.
    """
    # float16 with a gradient scaler is not offered: bf16 covers the hardware that gains, without a scaler's state.
    if engine.precision == "float32" or (engine.precision == "auto" and not lowers):
        return None
    if engine.precision == "bf16":
        return torch.bfloat16
    return torch.bfloat16 if device.lowers and device.gains_from_bf16(model) else None
