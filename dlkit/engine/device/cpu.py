"""The CPU."""

from __future__ import annotations

import platform
from pathlib import Path

import psutil
import torch
from torch import nn

from dlkit.engine.device.base import Device, Memory

# Layers in which the multiplications outweigh the casts.
_WIDE = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d, nn.MultiheadAttention)
# Asked at import, before any run has set another number.
_TORCH_CHOICE = torch.get_num_threads()


class Cpu(Device):
    """The processor that Python runs on; always there, and its memory is everybody's."""

    kind = "cpu"
    fuses = True
    channels_last = True
    apart = False

    @classmethod
    def count(cls) -> int:
        return 1

    @classmethod
    def find(cls, wanted: str, index: int | None) -> Cpu:
        return cls()

    def model_name(self) -> str:
        return _field("model name") or platform.processor() or platform.machine()

    def label(self, threads: int) -> str:
        return f"cpu ({threads} thread{'s' if threads != 1 else ''})"

    def memory(self) -> Memory:
        found = psutil.virtual_memory()
        return Memory(found.total - found.available, found.total)

    def multiplies_bf16(self) -> bool:
        return bool({"avx512_bf16", "amx_bf16"} & cpu_flags())

    def gains_from_bf16(self, model: nn.Module) -> bool:
        """Convolutions and attention do (4 times faster, with channels last); for a perceptron the casts cost more."""
        wide = any(isinstance(m, _WIDE) or getattr(m, "gains_from_bf16", False) is True for m in model.modules())
        return wide and self.multiplies_bf16()


def cpu_flags() -> frozenset[str]:
    """Instruction sets of this CPU as Linux names them; empty elsewhere."""
    return frozenset(_field("flags").split())


def _field(name: str) -> str:
    """The first line of this name in Linux's description of the processors; empty elsewhere."""
    path = Path("/proc/cpuinfo")
    if platform.system() != "Linux" or not path.exists():
        return ""
    lines = (line.partition(":") for line in path.read_text().splitlines())
    return next((value.strip() for key, _, value in lines if key.strip() == name), "")


def torch_threads() -> int:
    """CPU threads as torch chose at its start: OMP_NUM_THREADS, else as many as cores."""
    return _TORCH_CHOICE


def set_threads(wanted: int) -> int:
    """Use that many CPU threads; returns the number in use."""
    torch.set_num_threads(wanted)
    return torch.get_num_threads()
