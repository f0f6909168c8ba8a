"""``Ranks``: several processes, by torch.distributed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from dlkit.engine.device import Device
from dlkit.engine.distributed.world import V, World

PATIENCE = timedelta(hours=2)
"""How long a rank waits for another that is alive: building a data set and drawing samples are rank 0's alone."""


class Ranks(World):
    """Several processes, as torchrun starts them; DistributedDataParallel averages their gradients."""

    def __init__(self, device: Device, rank: int, size: int, local_rank: int) -> None:
        """Join the others, whom the environment tells of."""
        self.rank, self.size, self.local_rank = rank, size, local_rank
        self._peers = device.peers()
        dist.init_process_group(device.process_group, timeout=PATIENCE)

    def share(self, message: Mapping[str, V] | None) -> dict[str, V]:
        data = json.dumps(message).encode() if self.rank_zero else b""
        length = torch.tensor([len(data)])
        dist.broadcast(length, 0)  # first: the others must have room of the right size
        text = _bytes(data) if data else torch.empty(int(length), dtype=torch.uint8)
        dist.broadcast(text, 0)
        found: dict[str, V] = json.loads(text.numpy().tobytes())
        return found

    def any(self, flag: bool) -> bool:
        found = torch.tensor([int(flag)])
        dist.all_reduce(found, dist.ReduceOp.MAX)
        return bool(found.item())

    def mean(self, values: Sequence[float]) -> list[float]:
        total = torch.tensor(values, dtype=torch.float64)  # on the host, where the values are already
        if len(total):
            dist.all_reduce(total)
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
        dist.all_reduce(total)
        return total.to(there)

    def average(self, tensors: Sequence[Tensor]) -> None:
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])  # one exchange instead of one a tensor
        dist.all_reduce(flat)
        flat /= self.size
        parts = torch.split(flat, [tensor.numel() for tensor in tensors])
        for tensor, part in zip(tensors, parts, strict=True):
            tensor.copy_(part.view(tensor.shape))

    def gather(self, data: bytes) -> list[bytes]:
        own = torch.tensor([len(data)])
        lengths = [torch.zeros_like(own) for _ in range(self.size)]
        dist.all_gather(lengths, own)
        room = int(max(length.item() for length in lengths))
        # all_gather wants equal sizes, and more than nothing of each.
        padded = _bytes(data.ljust(max(room, 1), b"\0"))
        found = [torch.empty_like(padded) for _ in range(self.size)]
        dist.all_gather(found, padded)
        return [t.numpy().tobytes()[: int(n.item())] for t, n in zip(found, lengths, strict=True)]

    @contextmanager
    def rank_zero_first(self) -> Iterator[None]:
        if not self.rank_zero:
            dist.barrier()
        yield
        if self.rank_zero:
            dist.barrier()

    def wrap(self, module: nn.Module) -> nn.Module:
        if not any(p.requires_grad for p in module.parameters()):
            return module  # DistributedDataParallel refuses a module that has nothing to exchange
        return DistributedDataParallel(module, device_ids=self._peers)

    def align(self, module: nn.Module) -> None:
        # DistributedDataParallel does so at training steps alone: what evaluation sees must be the same everywhere.
        for buffer in module.buffers():
            dist.broadcast(buffer, 0)

    def close(self) -> None:
        dist.destroy_process_group()


def _bytes(data: bytes) -> Tensor:
    return torch.frombuffer(bytearray(data), dtype=torch.uint8)
