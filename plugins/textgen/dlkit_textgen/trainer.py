"""Supervised training that carries a network's state through the text, and counts tokens."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, cast

import torch
from torch import Tensor

from dlkit.data.randomness import rng
from dlkit.data.splits import Batch
from dlkit.data.trees import map_tensors
from dlkit.engine.supervised import SupervisedTrainer
from dlkit.engine.trainer import Setup, Values, to_float
from dlkit_textgen.options import LanguageTrainerConfig

State = Any


class LanguageTrainer(SupervisedTrainer):
    """A model that says ``carries`` (see the plugin's README) goes on with the state that it ended the batch before
    with, without its gradient; where the batch is ``fresh``, and for some rows by chance (``forget``), with none."""

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        config = cast(LanguageTrainerConfig, setup.config)
        self._forget = config.forget
        self._carries = config.carry and bool(getattr(setup.model, "carries", False))
        self._carried: State = None
        self._chance = rng(0)
        self._reader: Any = torch.compile(self._trained) if setup.engine.compile and self._carries else self._trained
        self._rate = _Rate()

    def step(self, batches: Sequence[Batch], step: int) -> Values:
        self._rate.go_on()
        if self._carries and self._forget:
            self._chance = rng(self.setup.engine.seed, "forget", self.setup.world.rank, step)
        values = super().step(batches, step)
        self._rate.count += sum(batch["token"].numel() for batch in batches) * self.setup.world.size
        if self._probe and step % self._probe == 0:
            values["tokens_per_second"] = self._rate.read()
        return values

    def losses(self, batch: Batch) -> Mapping[str, Tensor]:
        if not self._carries:
            return super().losses(batch)
        before = self._before(batch)
        lower = self.setup.autocast
        with self.setup.device.autocast(lower) if lower is not None else nullcontext():
            logits, after = self._reader(batch["token"], before)
        self._carried = map_tensors(Tensor.detach, after)
        found: Mapping[str, Tensor] = self.setup.loss(to_float(logits), batch)
        return found

    @contextmanager
    def evaluating(self) -> Iterator[None]:
        with self._rate.paused(), super().evaluating():
            yield

    def local_state(self) -> dict[str, object]:
        return {} if self._carried is None else {"carried": map_tensors(Tensor.contiguous, self._carried)}

    def load_local(self, state: Mapping[str, Any]) -> None:
        carried = state.get("carried")
        self._carried = None if carried is None else map_tensors(self.setup.device.put, carried)

    def _before(self, batch: Batch) -> State:
        """The state that each row goes on with: zeros where it begins afresh."""
        fresh = batch["fresh"]
        model: Any = self.model
        if self._carried is None or len(next(iter(self._carried.values()))) != len(fresh):
            return model.begin(len(fresh))
        if self._forget:
            chosen = torch.from_numpy(self._chance.random(len(fresh)) < self._forget)
            fresh = fresh | chosen.to(fresh.device)
        return map_tensors(lambda tensor: _cleared(tensor, fresh), self._carried)


def _cleared(tensor: Tensor, rows: Tensor) -> Tensor:
    """[N,…] with zeros (false) in some rows."""
    return tensor.masked_fill(rows.view(-1, *[1] * (tensor.dim() - 1)), 0)


class _Rate:
    """Tokens a second between two readings, evaluations and samples left out."""

    def __init__(self) -> None:
        self.count = 0
        self._since: float | None = None

    def go_on(self) -> None:
        if self._since is None:
            self._since = time.perf_counter()

    def read(self) -> float:
        now = time.perf_counter()
        assert self._since is not None
        rate = self.count / max(now - self._since, 1e-9)
        self.count, self._since = 0, now
        return rate

    @contextmanager
    def paused(self) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            if self._since is not None:
                self._since += time.perf_counter() - began
