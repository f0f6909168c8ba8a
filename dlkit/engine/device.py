"""Which device, which precision, how many threads: decided once, at the start, and written down."""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from dlkit.config import EngineConfig
from dlkit.errors import UsageError

# Before CUDA starts: GPUs are numbered as nvidia-smi and NVML do it, by which devices are claimed.
os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")

_WIDE = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d, nn.MultiheadAttention)


@dataclass(frozen=True)
class Placement:
    """The resolved device and precision; ``autocast`` is the lower precision, or None for float32."""

    device: torch.device
    autocast: torch.dtype | None
    threads: int

    @property
    def precision(self) -> str:
        return "bf16" if self.autocast is torch.bfloat16 else "float32"

    @property
    def name(self) -> str:
        """The device as people know it."""
        if self.device.type == "cuda":
            return f"{self.device} ({torch.cuda.get_device_name(self.device)})"
        if self.device.type == "cpu":
            return f"cpu ({self.threads} threads)"
        return str(self.device)


def choose_device(wanted: str) -> torch.device:
    """``auto`` takes CUDA, then MPS, then the CPU; UsageError if what is named is not there."""
    if wanted == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda", torch.cuda.current_device())
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    if not re.fullmatch(r"cpu|mps|cuda(:\d+)?", wanted):
        raise UsageError(f"device {wanted!r}: must be auto, cpu, mps, cuda or cuda:N")
    device = torch.device(wanted)
    if device.type == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if (device.index or 0) >= count:
            there = ", ".join(["cpu", *(f"cuda:{i}" for i in range(count))])
            raise UsageError(f"engine.device = {wanted!r}: no such device here; there are: {there}")
        return torch.device("cuda", device.index if device.index is not None else torch.cuda.current_device())
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise UsageError("engine.device = 'mps': not available here; there is: cpu")
    return device


def bf16_is_fast(device: torch.device) -> bool:
    """Whether the hardware multiplies bf16 itself (CUDA from Ampere on; CPUs with AVX512-BF16 or AMX)."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    return device.type == "cpu" and bool({"avx512_bf16", "amx_bf16"} & cpu_flags())


def cpu_flags() -> frozenset[str]:
    """Instruction sets of this CPU as Linux names them; empty elsewhere."""
    path = Path("/proc/cpuinfo")
    if platform.system() != "Linux" or not path.exists():
        return frozenset()
    for line in path.read_text().splitlines():
        if line.startswith("flags"):
            return frozenset(line.partition(":")[2].split())
    return frozenset()


def choose_autocast(engine: EngineConfig, device: torch.device, model: nn.Module, lowers: bool) -> torch.dtype | None:
    """bf16 or None. ``lowers``: whether the trainer honours a lower precision.

    ``auto`` takes bf16 on CUDA, and on the CPU for convolutions and attention where the hardware has it (4 times
    faster there, with channels_last); a multilayer perceptron is not worth the casts. A model made of other layers that
    gains from it says so itself: a module with ``gains_from_bf16 = True``.
    """
    if engine.precision == "float32" or (engine.precision == "auto" and not lowers):
        return None
    if engine.precision == "bf16":
        return torch.bfloat16
    wide = device.type == "cuda" or any(
        isinstance(module, _WIDE) or getattr(module, "gains_from_bf16", False) is True for module in model.modules()
    )
    return torch.bfloat16 if wide and bf16_is_fast(device) else None


def place(model: nn.Module, device: torch.device) -> nn.Module:
    """Move a model; networks with 2-D convolutions take the channels_last layout (3 times faster on AVX-512)."""
    model = model.to(device)
    if device.type in ("cpu", "cuda") and any(isinstance(module, nn.Conv2d) for module in model.modules()):
        model = model.to(memory_format=torch.channels_last)
    return model


_TORCH_CHOICE = torch.get_num_threads()


def set_threads(wanted: int) -> int:
    """Use that many CPU threads (0: as torch chose at its start); returns the number in use."""
    torch.set_num_threads(wanted or _TORCH_CHOICE)
    return torch.get_num_threads()
