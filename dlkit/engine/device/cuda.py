"""NVIDIA's GPUs."""

from __future__ import annotations

import os
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from dlkit.engine.device.base import Copies, Device, Memory
from dlkit.errors import UsageError
from dlkit.gpus import driver_version, gpus

# Before CUDA starts: GPUs are numbered as nvidia-smi and NVML do it, by which devices are claimed.
os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
# Before cuBLAS starts: without it engine.deterministic ends at the first product of matrices.
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")


_PINNED = 1 << 26
"""Bytes up to which something is copied into page-locked memory first: any batch."""
_CONTEXT = 512 << 20
"""Bytes that CUDA takes for a process (300 to 500 MB), where the driver does not tell, as in a container."""


class Cuda(Device):
    """One GPU. Work is started on torch's current stream and done in that order; the host waits only where it says."""

    kind = "cuda"
    fuses = True
    channels_last = True
    activities = "CPU", "CUDA"
    process_group = "cpu:gloo,cuda:nccl"  # losses and votes are on the host, gradients on the GPUs
    loader_options = {"pin_memory": True}

    @classmethod
    def count(cls) -> int:
        return torch.cuda.device_count() if torch.cuda.is_available() else 0

    @classmethod
    def find(cls, wanted: str, index: int | None) -> Cuda:
        count = cls.count()
        if (index or 0) >= count:
            there = ", ".join(["cpu", *(f"cuda:{i}" for i in range(count))])
            raise UsageError(f"engine.device = {wanted!r}: no such device here; there are: {there}")
        return cls(torch.cuda.current_device() if index is None else index)

    @classmethod
    def all(cls) -> list[Cuda]:
        return [cls(index) for index in range(cls.count())]

    def model_name(self) -> str:
        return torch.cuda.get_device_name(self.torch_device)

    def driver(self) -> str:
        return driver_version()

    def label(self, threads: int) -> str:
        return f"{self} ({self.model_name()})"

    def claims(self) -> tuple[str, ...]:
        """By UUID: two processes may number the same GPU differently."""
        return tuple(gpu.uuid for gpu in gpus() if gpu.position == self.index) or (str(self),)

    def memory(self) -> Memory:
        free, total = torch.cuda.mem_get_info(self.torch_device)
        return Memory(total - free, total)

    def peak(self) -> int:
        # What others count as this process's: torch's cache, beside what CUDA itself takes, which the driver tells.
        reserved, most = (f(self.torch_device) for f in (torch.cuda.memory_reserved, torch.cuda.max_memory_reserved))
        used = next((gpu.processes.get(os.getpid()) for gpu in gpus() if gpu.position == self.index), None)
        return most + (used - reserved if used is not None and used > reserved else _CONTEXT)

    def inexactness(self, deterministic: bool) -> str:
        return "" if deterministic else "CUDA kernels without engine.deterministic: equal to rounding"

    def make_current(self) -> None:
        torch.cuda.set_device(self.torch_device)

    def synchronize(self) -> None:
        torch.cuda.synchronize(self.torch_device)

    def multiplies_bf16(self) -> bool:
        return torch.cuda.get_device_capability(self.torch_device) >= (8, 0)  # from Ampere on

    def gains_from_bf16(self, model: nn.Module) -> bool:
        return self.multiplies_bf16()

    def peers(self) -> list[int] | None:
        return None if self.index is None else [self.index]

    def put(self, tensor: Tensor) -> Tensor:
        # From page-locked memory, which the loaders' batches are in already, the copy is made while the host goes on;
        # from other memory CUDA makes it before it returns. torch keeps such memory for the next one, and until the
        # copy is made. A whole split is not worth having twice: once a run, the host may wait.
        small = tensor.device.type == "cpu" and 0 < tensor.nbytes <= _PINNED
        if small and not tensor.is_pinned():
            tensor = tensor.pin_memory()
        return tensor.to(self.torch_device, non_blocking=True)

    def host_buffer(self, like: Tensor) -> Tensor:
        """Page-locked for what lies on the GPU: only from such memory does a copy not hold up the host."""
        return torch.empty(like.shape, dtype=like.dtype, pin_memory=like.device.type == "cuda")

    def stage(self, pairs: Iterable[tuple[Tensor, Tensor]]) -> Copies:
        """The copies take their turn on the stream: later steps cannot overtake them, and the loop goes on."""
        with torch.cuda.device(self.torch_device):
            for source, buffer in pairs:
                buffer.copy_(source, non_blocking=True)
            return _Recorded()

    def seed(self, seed: int) -> None:
        with torch.cuda.device(self.torch_device):
            torch.cuda.manual_seed(seed)

    def generator_state(self) -> Tensor | None:
        return torch.cuda.get_rng_state(self.torch_device)

    def set_generator_state(self, state: Tensor) -> None:
        torch.cuda.set_rng_state(state, self.torch_device)


class _Recorded:
    """An event in the stream, behind the copies."""

    def __init__(self) -> None:
        # Whoever waits sleeps: spinning would take a core from the loop.
        self._event = torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call]
        self._event.record()

    def wait(self) -> None:
        self._event.synchronize()
