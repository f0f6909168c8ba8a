"""What the components in ``faults`` are made of: torch."""

from __future__ import annotations

import errno
import itertools
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dlkit.data.context import Context
from dlkit.data.splits import Augment, Batch, Data, MapSplit, TensorSplit
from dlkit.errors import DataError
from faults_options import DeepConfig, FailingConfig, FaultyPlaneConfig
from toy_options import ToyInfo
from toy_parts import OFFSET, SLOPES


class Deep(nn.Module):
    """x [N,D] → [N], through layers of ReLU."""

    def __init__(self, features: int, config: DeepConfig) -> None:
        super().__init__()
        sizes = [features, *config.hidden]
        layers: list[nn.Module] = []
        for before, after in itertools.pairwise(sizes):
            linear = nn.Linear(before, after)
            nn.init.constant_(linear.bias, config.offset)
            layers += [linear, nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Linear(sizes[-1], 1))

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.layers(x).squeeze(1)
        return found


class Failing(Deep):
    """Does something else at its failing step of training."""

    def __init__(self, features: int, config: DeepConfig, fail: Callable[[Tensor], Tensor]) -> None:
        super().__init__(features, config)
        self._left, self._fail = config.good_steps, fail

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self._left -= 1
            if self._left < 0:
                return self._fail(x)
        return super().forward(x)


def deep(config: DeepConfig, info: ToyInfo) -> nn.Module:
    return Deep(info.features, config)


def greedy(config: DeepConfig, info: ToyInfo) -> nn.Module:
    """Asks for more memory than there is: 8 TiB."""
    return Failing(info.features, config, lambda x: torch.empty(1 << 41, dtype=torch.float32)[: len(x)])


def raising(config: DeepConfig, info: ToyInfo) -> nn.Module:
    return Failing(info.features, config, _raise(KeyError("no such layer")))


def misshapen(config: DeepConfig, info: ToyInfo) -> nn.Module:
    return Failing(info.features, config, lambda x: x @ torch.ones(5, 1))


def _raise(error: BaseException) -> Callable[..., Any]:
    def fail(*_: object) -> Any:
        raise error

    return fail


Loss = Callable[[Tensor, Batch], Mapping[str, Tensor]]


def _after(config: FailingConfig, other: Callable[[Tensor], Tensor]) -> Loss:
    """The squared error, and after some batches what ``other`` makes of it. Validation does not count, nor trials."""
    left = config.good_steps

    def loss(outputs: Tensor, batch: Batch) -> Mapping[str, Tensor]:
        nonlocal left
        value = nn.functional.mse_loss(outputs, batch["y"])
        if outputs.requires_grad:
            left -= 1
            if left < 0:
                return {"loss": other(value)}
        return {"loss": value}

    return loss


def not_a_number(config: FailingConfig, info: ToyInfo) -> Loss:
    return _after(config, lambda value: (value - value.detach() - 1).sqrt())


def infinite(config: FailingConfig, info: ToyInfo) -> Loss:
    return _after(config, lambda value: value / 0)


def raising_loss(config: FailingConfig, info: ToyInfo) -> Loss:
    return _after(config, _raise(IndexError("target 7 is out of bounds")))


def _plane(config: FaultyPlaneConfig, answer: Callable[[Any, Any], Any]) -> Data:
    generator = np.random.default_rng(7)

    def split(count: int) -> TensorSplit:
        x = generator.normal(size=(count, len(SLOPES))).astype(np.float32)
        y = answer(x, generator) + config.noise * generator.normal(size=count)
        return TensorSplit({"x": torch.from_numpy(x), "y": torch.from_numpy(y.astype(np.float32))})

    info = {"features": len(SLOPES), "offset": OFFSET}
    return Data(train=split(config.points), val=split(80), test=split(40), info=info)


def _linear(x: Any, generator: np.random.Generator) -> Any:
    return x @ np.array(SLOPES, np.float32) + OFFSET


def curved(config: FaultyPlaneConfig, context: Context) -> Data:
    """What no line fits: a model that is deep learns it in some time."""
    return _plane(config, lambda x, generator: np.sin(2 * x[:, 0]) + x[:, 1] * x[:, 2])


def unrelated(config: FaultyPlaneConfig, context: Context) -> Data:
    """Answers that have nothing to do with their inputs."""
    return _plane(config, lambda x, generator: generator.normal(size=len(x)))


class Vanishing(MapSplit):
    """Samples made one by one, of which one raises."""

    def __init__(self, source: TensorSplit, good: int, error: BaseException) -> None:
        super().__init__()
        self._source, self._left, self._error = source, good, error

    def __len__(self) -> int:
        return len(self._source)

    def sample(self, index: int, rng: np.random.Generator | None) -> Mapping[str, Any]:
        if rng is not None:
            self._left -= 1
            if self._left < 0:
                raise self._error
        return {name: column[0] for name, column in self._source.take(torch.tensor([index])).items()}

    def fingerprint(self) -> str:
        return self._source.fingerprint()


def _breaking(config: FaultyPlaneConfig, error: BaseException) -> Data:
    data = _plane(config, _linear)
    assert isinstance(data.train, TensorSplit)
    return Data(train=Vanishing(data.train, config.good_samples, error), val=data.val, test=data.test, info=data.info)


def vanishing(config: FaultyPlaneConfig, context: Context) -> Data:
    return _breaking(config, FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "/data/photos/0042.png"))


def corrupt(config: FaultyPlaneConfig, context: Context) -> Data:
    return _breaking(config, DataError("/data/photos/0042.png: not an image"))


def full_disk(config: FaultyPlaneConfig, context: Context) -> Data:
    """A cache that cannot be written."""
    return _breaking(config, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/cache/0042.npy"))


SLOW = 0.004
"""Seconds that a sample, or the changing of a batch, takes where it is slow."""


class Slow(MapSplit):
    """Samples that take their time."""

    def __init__(self, source: TensorSplit) -> None:
        super().__init__()
        self._source = source

    def __len__(self) -> int:
        return len(self._source)

    def sample(self, index: int, rng: np.random.Generator | None) -> Mapping[str, Any]:
        time.sleep(SLOW)
        return {name: column[0] for name, column in self._source.take(torch.tensor([index])).items()}

    def fingerprint(self) -> str:
        return self._source.fingerprint()


class SlowChange(Augment):
    """Changes nothing, and takes its time for it."""

    def draw(self, rng: np.random.Generator, count: int) -> dict[str, Any]:
        return {"nothing": np.zeros(count, np.float32)}

    def apply(self, batch: Batch, drawn: Batch) -> Batch:
        time.sleep(8 * SLOW)
        return batch


def _tensors(split: object) -> TensorSplit:
    assert isinstance(split, TensorSplit)
    return split


def slow_loading(config: FaultyPlaneConfig, context: Context) -> Data:
    data = _plane(config, _linear)
    return replace(data, train=Slow(_tensors(data.train)))


def slow_evaluation(config: FaultyPlaneConfig, context: Context) -> Data:
    data = _plane(config, _linear)
    return replace(data, val=Slow(_tensors(data.val)))


def slow_augmentation(config: FaultyPlaneConfig, context: Context) -> Data:
    return replace(_plane(config, _linear), augment=SlowChange())
