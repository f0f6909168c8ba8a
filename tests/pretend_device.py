"""A pretend accelerator on the CPU, for what can go wrong on a real one.

Its copies to the host complete late: until somebody waits for them, the buffers hold garbage. Its memory is bounded
and counted: what is put or placed on it, and the batches of the step that is being made. It has a generator of its
own. It notices whoever waits for it, or reads from it, in the middle of a step. ``installed`` makes ``auto`` find it.

This module is a plugin too: the trainer ``noisy`` draws from the device's generator, in training and in evaluation.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor, nn

from dlkit import TrainerSpec, hookimpl
from dlkit.data.splits import Batch
from dlkit.engine.build import Job
from dlkit.engine.device import Copies, Device, Memory, choose
from dlkit.engine.loader import Loader
from dlkit.engine.supervised import SupervisedTrainer
from dlkit.engine.trainer import Values
from pretend_watch import Watch

PLENTY = 1 << 40


class NoRoom(Exception):
    """Its out-of-memory error: neither torch's class nor its words."""


class Pretend(Device):
    """Computes on the CPU as the CPU does: a run on it makes the same bits."""

    kind = "pretend"
    fuses = True
    channels_last = True
    there: ClassVar[Pretend | None] = None
    """The one of this machine, while it is installed."""

    def __init__(self, room: int = PLENTY) -> None:
        self.index = None
        self.torch_device = torch.device("cpu")
        self.room = room
        self.used = self.most = 0
        self.generator = torch.Generator()
        self.seen = Watch()
        self.put_sizes: list[int] = []
        self.calls: list[str] = []
        """Every ``make_current`` and ``synchronize``, and the first ``put`` after each."""
        self.watched = False
        self.pending: list[tuple[Tensor, Tensor]] = []
        self._own: dict[int, weakref.ref[Tensor]] = {}

    def __str__(self) -> str:
        return self.kind

    @classmethod
    def count(cls) -> int:
        return int(cls.there is not None)

    @classmethod
    def find(cls, wanted: str, index: int | None) -> Pretend:
        assert cls.there is not None
        return cls.there

    def model_name(self) -> str:
        return "Pretend 1"

    def memory(self) -> Memory:
        return Memory(self.used, self.room)

    @property
    def reads(self) -> list[str]:
        """What made the host wait: within the steps that are watched, and every ``synchronize``."""
        return self.seen.waits

    def peak(self) -> int:
        return self.most

    def make_current(self) -> None:
        self._call("make_current")

    def synchronize(self) -> None:
        self._call("synchronize")
        self.seen.waits.append("synchronize")

    def _call(self, name: str) -> None:
        if self.calls[-1:] != [name]:
            self.calls.append(name)

    def is_out_of_memory(self, error: BaseException) -> bool:
        return isinstance(error, NoRoom) or super().is_out_of_memory(error)

    def put(self, tensor: Tensor) -> Tensor:
        known = self._own.get(id(tensor))
        if known is not None and known() is tensor:
            return tensor
        self._call("put")
        copy = tensor.clone()
        self.put_sizes.append(copy.nbytes)
        self.seen.mark([copy])
        self._take(copy.nbytes, copy)
        self._own[id(copy)] = weakref.ref(copy)
        return copy

    def place(self, model: nn.Module) -> nn.Module:
        model = super().place(model)
        self._call("put")
        tensors = [*model.parameters(), *model.buffers()]
        self.seen.mark(tensors)
        self._take(sum(tensor.nbytes for tensor in tensors), model)
        return model

    def stage(self, pairs: Iterable[tuple[Tensor, Tensor]]) -> Copies:
        mine = [(source.detach().clone(), buffer) for source, buffer in pairs]
        for _, buffer in mine:
            _spoil(buffer)
        self.pending += mine
        return Late(self)

    def seed(self, seed: int) -> None:
        self.generator.manual_seed(seed)

    def generator_state(self) -> Tensor | None:
        return self.generator.get_state()

    def set_generator_state(self, state: Tensor) -> None:
        self.generator.set_state(state)

    def watch(self, job: Job) -> None:
        """Notice what making this job's batches and steps reads, and how much its batches need."""
        trainer, loss = job.trainer, job.trainer.setup.loss
        if isinstance(loss, nn.Module):
            self.seen.mark([*loss.parameters(), *loss.buffers()])
        make: Callable[[Sequence[Batch], int], Values] = trainer.step

        def step(batches: Sequence[Batch], number: int) -> Values:
            size = sum(column.nbytes for batch in batches for column in batch.values())
            self._demand(size)
            with self.seen.looking():
                return make(batches, number)

        trainer.step = step  # type: ignore[method-assign]
        self.watched = True

    def batches(self, found: Iterator[list[Batch]]) -> Iterator[list[Batch]]:
        """The same, and what making them reads, if this device is watched."""
        while True:
            with self.seen.looking() if self.watched else nullcontext():
                batches = next(found)
            yield batches

    def _demand(self, size: int) -> None:
        self.most = max(self.most, min(self.room, self.used + size))
        if self.used + size > self.room:
            raise NoRoom(f"{size} bytes asked for, {self.room - self.used} left")

    def _take(self, size: int, owner: object) -> None:
        self._demand(size)
        self.used += size
        self.most = max(self.most, self.used)
        weakref.finalize(owner, self._give_back, size)

    def _give_back(self, size: int) -> None:
        self.used -= size


class Late:
    """Copies that are made when somebody waits for them, in the order in which they were asked for."""

    def __init__(self, device: Pretend) -> None:
        self._device = device

    def wait(self) -> None:
        while self._device.pending:
            source, buffer = self._device.pending.pop(0)
            buffer.copy_(source)


def _spoil(buffer: Tensor) -> None:
    """What page-locked memory holds before the copy: anything."""
    if buffer.is_floating_point():
        buffer.fill_(float("nan"))
    elif buffer.dtype != torch.bool:
        buffer.fill_(torch.iinfo(buffer.dtype).max)


@contextmanager
def installed(room: int = PLENTY) -> Iterator[Pretend]:
    """A machine with one of these, which ``auto`` takes."""
    with pytest.MonkeyPatch.context() as patch:
        device = Pretend(room)
        of_steps = Loader.steps
        patch.setattr(Loader, "steps", lambda loader: device.batches(of_steps(loader)))
        patch.setattr(Pretend, "there", device)
        patch.setattr(choose, "KINDS", {"pretend": Pretend, **choose.KINDS})
        yield device


@hookimpl
def dlkit_trainers() -> list[TrainerSpec]:
    config = "dlkit.engine.options:SupervisedConfig"
    target = "pretend_device:NoisyTrainer"
    return [TrainerSpec(name="noisy", task="toy", summary="Draws on the device", target=target, config=config)]


class NoisyTrainer(SupervisedTrainer):
    """Adds noise from the device's own generator to x."""

    def losses(self, batch: Batch) -> Mapping[str, Tensor]:
        return super().losses(self._noisy(batch))

    def evaluate(self, batch: Batch) -> Any:
        return super().evaluate(self._noisy(batch))

    def _noisy(self, batch: Batch) -> Batch:
        device = self.setup.device
        assert isinstance(device, Pretend)
        return {**batch, "x": batch["x"] + torch.randn(batch["x"].shape, generator=device.generator) / 4}
