"""The processes that train one run together. One process is a world of its own: the same path, nothing wrapped.

Rank 0 looks at clocks, commands and signals and says what all do; they agree at steps that are known beforehand, so
nothing is exchanged at other steps but gradients. What is exchanged is numbers and JSON, never pickle.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor, nn

from dlkit.errors import UsageError
from dlkit.task import Info, Task

PATIENCE = timedelta(hours=2)
"""How long a rank waits for another that is alive: building a data set and drawing samples are rank 0's alone."""


class World:
    """One process. ``rank`` of ``size``; ``local_rank`` is the rank on this machine."""

    rank = 0
    size = 1
    local_rank = 0

    @property
    def chief(self) -> bool:
        """Whether this is rank 0, which writes events and checkpoints."""
        return self.rank == 0

    def share(self, message: Mapping[str, Any] | None) -> dict[str, Any]:
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
    def chief_first(self) -> Iterator[None]:
        """Rank 0 does what is inside before the others do (downloads, caches)."""
        yield

    def wrap(self, module: nn.Module) -> nn.Module:
        """The module for training: its gradients become the ranks' mean."""
        return module

    def align(self, module: nn.Module) -> None:
        """Rank 0's buffers (running statistics) on every rank."""

    def close(self) -> None:
        """Leave the others."""


class Ranks(World):
    """Several processes, as torchrun starts them; DistributedDataParallel averages their gradients."""

    def __init__(self, device: str) -> None:
        """Join the others. ``device`` is the configured one: with GPUs, rank i of a machine takes its GPU i."""
        import torch.distributed as dist

        if ":" in device:
            raise UsageError(f"engine.device = {device!r}: several processes take a GPU each; give cuda, cpu or auto")
        self._dist = dist
        self.rank, self.size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
        self.local_rank = int(os.environ.get("LOCAL_RANK", self.rank))
        self._cuda = device.startswith(("auto", "cuda")) and torch.cuda.is_available()
        if self._cuda:
            torch.cuda.set_device(self.local_rank)
        dist.init_process_group("cpu:gloo,cuda:nccl" if self._cuda else "gloo", timeout=PATIENCE)

    def share(self, message: Mapping[str, Any] | None) -> dict[str, Any]:
        data = json.dumps(message).encode() if self.chief else b""
        length = torch.tensor([len(data)])
        self._dist.broadcast(length, 0)
        text = (
            torch.frombuffer(bytearray(data), dtype=torch.uint8)
            if data
            else torch.empty(int(length), dtype=torch.uint8)
        )
        self._dist.broadcast(text, 0)
        found: dict[str, Any] = json.loads(text.numpy().tobytes())
        return found

    def any(self, flag: bool) -> bool:
        found = torch.tensor([int(flag)])
        self._dist.all_reduce(found, self._dist.ReduceOp.MAX)
        return bool(found.item())

    def mean(self, values: Sequence[float]) -> list[float]:
        total = torch.tensor(values, dtype=torch.float64)
        if len(total):
            self._dist.all_reduce(total)
        means: list[float] = (total / self.size).tolist()
        return means

    def sum(self, tensor: Tensor | None) -> Tensor | None:
        kind = None if tensor is None else {"shape": list(tensor.shape), "dtype": str(tensor.dtype).split(".")[1]}
        kinds = [json.loads(found) for found in self.gather(json.dumps(kind).encode())]
        known = next((found for found in kinds if found is not None), None)
        if known is None:
            return None
        if tensor is None:
            tensor = torch.zeros(known["shape"], dtype=getattr(torch, known["dtype"]))
        there = tensor.device
        total = tensor.cpu()  # sums of an evaluation are small, and a rank without any does not know the device
        self._dist.all_reduce(total)
        return total.to(there)

    def average(self, tensors: Sequence[Tensor]) -> None:
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        self._dist.all_reduce(flat)
        flat /= self.size
        parts = torch.split(flat, [tensor.numel() for tensor in tensors])
        for tensor, part in zip(tensors, parts, strict=True):
            tensor.copy_(part.view(tensor.shape))

    def gather(self, data: bytes) -> list[bytes]:
        own = torch.tensor([len(data)])
        lengths = [torch.zeros_like(own) for _ in range(self.size)]
        self._dist.all_gather(lengths, own)
        room = int(max(length.item() for length in lengths))
        padded = torch.frombuffer(bytearray(data.ljust(room, b"\0")) or bytearray(1), dtype=torch.uint8)
        found = [torch.empty_like(padded) for _ in range(self.size)]
        self._dist.all_gather(found, padded)
        return [t.numpy().tobytes()[: int(n.item())] for t, n in zip(found, lengths, strict=True)]

    @contextmanager
    def chief_first(self) -> Iterator[None]:
        if not self.chief:
            self._dist.barrier()
        yield
        if self.chief:
            self._dist.barrier()

    def wrap(self, module: nn.Module) -> nn.Module:
        from torch.nn.parallel import DistributedDataParallel

        if not any(p.requires_grad for p in module.parameters()):
            return module
        return DistributedDataParallel(module, device_ids=[self.local_rank] if self._cuda else None)

    def align(self, module: nn.Module) -> None:
        for buffer in module.buffers():
            self._dist.broadcast(buffer, 0)

    def close(self) -> None:
        self._dist.destroy_process_group()


def join(device: str) -> World:
    """The world that RANK and WORLD_SIZE tell of; without them, or of one process, this one alone."""
    return Ranks(device) if int(os.environ.get("WORLD_SIZE", "1")) > 1 else World()


def refuse_unshared(task: Task, info: Info, world: World) -> None:
    """UsageError if the task's metrics cannot be computed by several processes (``reduce``, or torchmetrics' way)."""
    if world.size == 1:
        return
    metrics = task.metrics(info)
    if not any(hasattr(metrics, mark) for mark in ("reduce", "dist_sync_fn", "compute_groups")):
        raise UsageError(
            f"job.nproc = {world.size}: metrics of {type(task).__name__} have no reduce() and are not torchmetrics: "
            "only one process can compute them"
        )
