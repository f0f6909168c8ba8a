"""One training step in NumPy, through the trainer and written inline: 56-20-1, batch 128, float32, SGD with momentum.

    uv run python tests/benchmarks/bench_scratch.py

Both make the same calls of NumPy on the same batches and must end at the same weights, bit for bit. Prints µs a step
for both, interleaved A B B A, and the ratio of their medians.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parent))
from common import interleaved
from dlkit.config import EngineConfig
from dlkit.data.randomness import seed_all
from dlkit.engine.device import Cpu
from dlkit.engine.trainer import Setup
from dlkit_scratch.losses import SquaredError
from dlkit_scratch.models import mlp_regressor
from dlkit_scratch.options import DescentConfig, MlpConfig
from dlkit_scratch.trainer import ScratchTrainer

FEATURES, HIDDEN, BATCH = 56, 20, 128
LR, MOMENTUM = 0.01, 0.9
BATCHES = 120
STEPS = 4_000
ROUNDS = 15
LIMIT = 1.3


def make_batches() -> list[list[dict[str, torch.Tensor]]]:
    """What the loader hands out for each step."""
    generator = torch.Generator().manual_seed(0)
    made = []
    for _ in range(BATCHES):
        x = torch.randn(BATCH, FEATURES, generator=generator)
        noise = 0.1 * torch.randn(BATCH, 1, generator=generator)
        made.append([{"features": x, "target": x[:, :8].sum(1, keepdim=True).tanh() + noise}])
    return made


def make_trainer() -> ScratchTrainer:
    seed_all(0)
    info: Any = SimpleNamespace(features=["x"] * FEATURES)
    model = mlp_regressor(MlpConfig(hidden=[HIDDEN], activation="sigmoid"), info)
    task: Any = SimpleNamespace(inputs=("features",))
    config = DescentConfig(lr=LR, momentum=MOMENTUM)
    loss = SquaredError(DescentConfig(), info)
    return ScratchTrainer(Setup(model, loss, task, info, config, EngineConfig(device="cpu"), Cpu(), None, STEPS))


class Inline:
    """The step as somebody would write it for this network alone, with its arrays allocated beforehand."""

    def __init__(self, weights: list[np.ndarray[Any, Any]]) -> None:
        self.weights = [w.copy() for w in weights]
        self.velocity = np.zeros(sum(w.size for w in weights), np.float32)
        self.loss = 0.0

    def run(self, pairs: list[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]], steps: int) -> float:
        """Train ``steps`` steps; returns the seconds."""
        w1, b1, w2, b2 = self.weights
        v, g = self.velocity, np.zeros_like(self.velocity)
        change = np.zeros_like(v)
        (gw1, gb1, gw2, gb2), (cw1, cb1, cw2, cb2) = (split(flat, self.weights) for flat in (g, change))
        ones = np.ones(BATCH, np.float32)
        a, y = np.empty((BATCH, HIDDEN), np.float32), np.empty((BATCH, 1), np.float32)
        d, e = np.empty_like(a), np.empty_like(y)
        began = time.perf_counter()
        for step in range(steps):
            x, target = pairs[step % BATCHES]
            np.dot(x, w1, a)
            np.add(a, b1, a)
            np.multiply(a, 0.5, a)
            np.tanh(a, a)
            np.add(a, 1, a)
            np.multiply(a, 0.5, a)
            np.dot(a, w2, y)
            np.add(y, b2, y)
            np.subtract(y, target, e)
            self.loss = float(np.vdot(e, e)) / e.size
            np.multiply(e, 2 / e.size, e)
            np.dot(a.T, e, gw2)
            np.dot(ones, e, gb2)
            np.dot(e, w2.T, d)
            np.multiply(d, a, d)
            np.subtract(1, a, a)
            np.multiply(d, a, d)
            np.dot(x.T, d, gw1)
            np.dot(ones, d, gb1)
            np.multiply(v, MOMENTUM, v)
            np.add(v, g, v)
            np.multiply(v, LR, change)
            np.subtract(w1, cw1, w1)
            np.subtract(b1, cb1, b1)
            np.subtract(w2, cw2, w2)
            np.subtract(b2, cb2, b2)
        return time.perf_counter() - began


def split(flat: np.ndarray[Any, Any], like: list[np.ndarray[Any, Any]]) -> list[np.ndarray[Any, Any]]:
    ends = np.cumsum([w.size for w in like])
    return [flat[end - w.size : end].reshape(w.shape) for w, end in zip(like, ends, strict=True)]


def main() -> None:
    batches = make_batches()
    pairs = [(b["features"].numpy(), b["target"].numpy()) for (b,) in batches]
    trainer = make_trainer()
    mine = [p.detach().numpy() for p in trainer.model.parameters()]
    inline = Inline(mine)

    def through_trainer() -> float:
        step_of = trainer.step
        began = time.perf_counter()
        for step in range(STEPS):
            step_of(batches[step % BATCHES], step)
        return time.perf_counter() - began

    ours, theirs = interleaved(through_trainer, lambda: inline.run(pairs, STEPS), ROUNDS)
    same = all(np.array_equal(one, other) for one, other in zip(mine, inline.weights, strict=True))
    if not same:
        sys.exit("the weights differ: these are not the same steps")
    step, bare = (statistics.median(seconds) / STEPS * 1e6 for seconds in (ours, theirs))
    print(f"Trainer.step {step:.1f} µs, inline {bare:.1f} µs, ratio {step / bare:.2f} (limit {LIMIT}); weights equal")


if __name__ == "__main__":
    main()
