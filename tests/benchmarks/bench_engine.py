"""The engine's own cost: a null trainer, everything on, against ``for i in range(n): f(i)``.

    uv run python tests/benchmarks/bench_engine.py

Prints µs a step for both, interleaved A B B A, and the median of the differences over 9 rounds: of CPU time with --cpu,
which on a busy machine is what can be told.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent.parent))
import toy
from dlkit.data.plans import Plan
from dlkit.data.splits import Batch, Data, TensorSplit
from dlkit.engine.loader import Course
from dlkit.engine.loop import Loop
from dlkit.engine.trainer import Setup, Trainer, Values
from dlkit.runs.lock import RunLock

STEPS = 500_000
ROUNDS = 9
CLOCK = time.thread_time if "--cpu" in sys.argv else time.perf_counter
READY = torch.tensor(0.5)
EMPTY: Batch = {}


def null(step: int) -> Values:
    return {"train/loss": READY}


class NullTrainer(Trainer):
    """Returns one ready scalar."""

    def step(self, batches: Sequence[Batch], step: int) -> Values:
        return {"train/loss": READY}


class NullSplit(TensorSplit):
    """Hands out nothing, as often as asked: what remains is the loader's own cost."""

    def batches(self, plan: Plan, *, seed: int, epoch: int | None, start: int = 0) -> Iterator[Batch]:
        if epoch is None:
            yield from super().batches(plan, seed=seed, epoch=epoch, start=start)
            return
        for _ in range(start, len(plan)):
            yield EMPTY


def engine_seconds(workspace: Path, device: str = "cpu") -> float:
    """One run of STEPS null steps with evaluation, samples and checkpoints as ever."""
    attempt = toy.toy_attempt(
        workspace,
        device=device,
        epochs=None,
        steps=STEPS,
        batch_size=1,
        eval_every="50000 steps",
        checkpoint_every=0.2,
        layer={"dataset": {"points": 250_000}},
    )
    job = attempt.job
    train = NullSplit(job.data.train.columns)
    data = Data(train=train, val=job.data.val, info=job.data.info)
    setup: Setup = job.trainer.setup
    job = replace(job, data=data, trainer=NullTrainer(setup), course=Course(train, job.resolved.engine))
    began = CLOCK()
    with RunLock(attempt.run.lock):
        loop = Loop(job, attempt.run)
        for _ in loop:
            pass
    assert loop.progress.step == STEPS
    return CLOCK() - began


def bare_seconds() -> float:
    began = CLOCK()
    for i in range(STEPS):
        null(i)
    return CLOCK() - began


def main() -> None:
    torch.set_num_threads(2)
    costs = []
    with tempfile.TemporaryDirectory() as folder:
        for round_ in range(ROUNDS):
            bare = bare_seconds()
            engine = engine_seconds(Path(folder))
            engine_again = engine_seconds(Path(folder)) if round_ == 0 else engine
            bare_again = bare_seconds()
            cost = ((engine + engine_again) - (bare + bare_again)) / 2 / STEPS * 1e6
            costs.append(cost)
            print(f"round {round_ + 1}: engine {engine / STEPS * 1e6:.2f} µs, bare {bare / STEPS * 1e6:.2f} µs a step")
    print(f"engine's own cost: {statistics.median(costs):.2f} µs a step, median of {ROUNDS} (limit 1.3)")


if __name__ == "__main__":
    main()
