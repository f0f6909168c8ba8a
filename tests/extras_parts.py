"""What the extra toy components are made of: torch."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from dlkit.data.splits import Batch
from dlkit.engine.supervised import SupervisedTrainer
from extras_options import MlpConfig, TroubleConfig
from toy_options import ToyInfo


class Mlp(nn.Module):
    """x [N,3] → [N]."""

    def __init__(self, features: int, config: MlpConfig) -> None:
        super().__init__()
        width = config.width
        self.first = nn.Linear(features, width)
        self.norm = nn.BatchNorm1d(width)
        self.dropout = nn.Dropout(config.dropout)
        self.second = nn.Linear(width, width)
        self.third = nn.Linear(width, width)
        self.head = nn.Linear(width, 1)
        if config.tied:
            self.third.weight = self.second.weight

    def forward(self, x: Tensor) -> Tensor:
        x = self.dropout(self.norm(self.first(x)).relu())
        return self.head(self.third(self.second(x).relu()).relu()).squeeze(1)


def build_mlp(config: MlpConfig, info: ToyInfo) -> nn.Module:
    return Mlp(info.features, config)


class Sum(nn.Module):
    """x [N,3] → [N]; nothing to learn, nothing to store."""

    def __init__(self, config: object, info: ToyInfo) -> None:
        super().__init__()

    def forward(self, x: Tensor) -> Tensor:
        return x.sum(1)


def build_troubled(config: TroubleConfig, info: ToyInfo) -> Callable[[Tensor, Batch], Mapping[str, Tensor]]:
    calls = 0
    if config.says:
        print(config.says, flush=True)
    time.sleep(config.build_wait)

    def loss(outputs: Tensor, batch: Batch) -> Mapping[str, Tensor]:
        nonlocal calls
        error = nn.functional.mse_loss(outputs, batch["y"])
        # Training: neither an evaluation, nor tried while it is built, on copies of outputs.
        if outputs.grad_fn is not None and outputs.grad_fn.name() != "CloneBackward0":
            calls += 1
            time.sleep(config.wait)
            break_at(config, calls, outputs)
            if calls == config.nan_at:
                error = error * float("nan")
        else:
            time.sleep(config.evaluation_wait)
        return {"loss": error}

    return loss


def break_at(config: TroubleConfig, calls: int, outputs: Tensor) -> None:
    if calls == config.raise_at and config.raise_in == int(os.environ.get("RANK", "0")):
        raise ArithmeticError(f"call {calls}")
    if calls == config.exit_at:
        sys.exit(3)
    if calls == config.abort_at:
        os.abort()
    if 0 < config.scarce <= len(outputs) and calls >= config.scarce_from:
        torch.empty(
            1 << 50, dtype=torch.uint8, device=outputs.device
        )  # more than any machine's address space: the allocator's own error


class ModestTrainer(SupervisedTrainer):
    """Supports nothing that is optional."""

    supports = frozenset()
