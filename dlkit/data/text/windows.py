"""A long text as training data: windows of it cut on the device, in random order or as parallel streams."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from copy import copy
from typing import Self

import numpy as np
import torch
from torch import Tensor

from dlkit.data.destination import HOST, Destination
from dlkit.data.plans import Plan, Planner
from dlkit.data.randomness import rng
from dlkit.data.splits import Batch, Split
from dlkit.errors import DataError, UsageError

IGNORED = -100
"""A target that counts nowhere: what torch's cross-entropy leaves out."""


class Windows(Split):
    """``token`` int64 [N,T] and ``target`` int64 [N,T], the same one token later, cut from ``ids`` [n].

    For training every place is a sample, and the planner says at which ones windows begin; for evaluation
    (``whole``) windows follow each other without gap or overlap, each target counted once: the last window reaches
    back over targets that are then ``IGNORED``. ``fresh`` bool [N] is true where a stream begins (``Streams``): a
    model that carries its state forgets it there. DataError if the text is shorter than a window and a token.
    """

    def __init__(self, ids: Tensor, length: int, *, whole: bool = False, planner: Planner | None = None) -> None:
        if len(ids) < length + 1:
            raise DataError(f"the text has {len(ids)} tokens, fewer than a context of {length} and the one after it")
        self._ids, self.length, self._whole = ids, length, whole
        self.planner = planner or Phased(length)
        self._destination: Destination = HOST
        # Every place may begin a training window, so epochs need not cut the text at the same places.
        self._size = -(-(len(ids) - 1) // length) if whole else len(ids) - length

    def __len__(self) -> int:
        return self._size

    def take(self, index: Tensor) -> Batch:
        index = index.to(self._ids.device)
        fresh = torch.ones(len(index), dtype=torch.bool, device=self._ids.device)
        return self._cut_whole(index, fresh) if self._whole else self._cut(index, fresh)

    def batches(self, plan: Plan, *, seed: int, epoch: int | None, start: int = 0) -> Iterator[Batch]:
        carries = isinstance(self.planner, Streams) and epoch is not None
        starts = torch.split(self._destination.put(torch.from_numpy(plan.order)), plan.sizes)
        for number, index in enumerate(starts[start:], start):
            if carries and number:
                yield self._cut(index, torch.zeros(len(index), dtype=torch.bool, device=self._ids.device))
            else:
                yield self.take(index)

    def _cut(self, start: Tensor, fresh: Tensor) -> Batch:
        span = torch.arange(self.length + 1, device=start.device)
        # Kept as int32, half of what indices need; only a batch is made long.
        rows = self._ids[start[:, None] + span].long()
        return {"token": rows[:, :-1].contiguous(), "target": rows[:, 1:].contiguous(), "fresh": fresh}

    def _cut_whole(self, index: Tensor, fresh: Tensor) -> Batch:
        # The last window reaches back to be as long as the others, whose shape a compiled model was made for.
        start = index * self.length
        last = len(self._ids) - 1 - self.length
        batch = self._cut(start.clamp(max=last), fresh)
        counted_before = (start - last).clamp(min=0)
        known = torch.arange(self.length, device=start.device) < counted_before[:, None]
        batch["target"] = batch["target"].masked_fill(known, IGNORED)
        return batch

    def to(self, destination: Destination, workers: int = 0) -> Self:
        ids = destination.put(self._ids)
        if ids is self._ids:
            return self
        found = copy(self)
        found._ids, found._destination = ids, destination
        return found

    @property
    def nbytes(self) -> int:
        return self._ids.nbytes

    def fingerprint(self) -> str:
        head = f"{self.length} {self._whole} {self._ids.dtype} {len(self._ids)}".encode()
        data = self._ids.detach().cpu().contiguous().view(torch.uint8).numpy().data
        return hashlib.sha256(head + b"\0" + data).hexdigest()


class Phased(Planner):
    """Each epoch goes over the text once, in windows that begin at another place each time, in random order."""

    def __init__(self, window: int) -> None:
        self.window = window

    def plan(self, size: int, seed: int, epoch: int, batch_size: int) -> Plan:
        generator = rng(seed, "order", epoch)
        phase = int(generator.integers(min(self.window, size)))
        windows = self._windows(size)
        bounds = np.minimum(np.arange(self.length(size, seed, epoch, batch_size) + 1) * batch_size, windows)
        # Another beginning every epoch: in time each token is met at every place of a window.
        starts = phase + self.window * generator.permutation(windows)
        return Plan(starts[: bounds[-1]], bounds)

    def length(self, size: int, seed: int, epoch: int, batch_size: int) -> int:
        return max(1, self._windows(size) // batch_size)

    def _windows(self, size: int) -> int:
        """Of an epoch: the same number wherever it begins."""
        return max(1, size // self.window)


class Streams(Planner):
    """As many places of the text as a batch has rows, read on from batch to batch: row i goes on where row i of the
    batch before ended, so that a recurrent network may carry its state."""

    def __init__(self, window: int) -> None:
        self.window = window

    def plan(self, size: int, seed: int, epoch: int, batch_size: int) -> Plan:
        if size < batch_size:
            raise UsageError(f"a text with {size} places cannot be read as {batch_size} streams: lower --batch-size")
        # Streams begin equally far apart and are read to where the next one began: together once over the text.
        apart = size // batch_size
        batches = max(1, apart // self.window)
        spare = size - 1 - (batch_size - 1) * apart - (batches - 1) * self.window
        phase = int(rng(seed, "order", epoch).integers(min(spare, self.window) + 1))
        rows = phase + apart * np.arange(batch_size)
        starts = (rows[None, :] + self.window * np.arange(batches)[:, None]).ravel()
        return Plan(starts, np.arange(batches + 1) * batch_size)
