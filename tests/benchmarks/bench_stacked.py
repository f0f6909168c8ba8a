"""Runs trained as one against the same runs one after another: bike-sharing and MNIST perceptrons.

    DLKIT_TEST_DATA=… uv run python tests/benchmarks/bench_stacked.py [bike] [mnist] [whole] [processes] [--rows 256]

``bike`` and ``mnist`` time steps alone (batches, forward, backward, update), interleaved A B B A in one process, of
``--parts 2`` threads if there are to be several;
``whole`` everything from configurations to finished folders, in one process; ``processes`` one ``dlkit train`` process.
CPU seconds are printed beside those of the clock: on a busy machine they tell more.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import torch

from common import workspace
from dlkit.catalog import Catalog
from dlkit.config import Layer, Resolved, resolve
from dlkit.data.context import Context
from dlkit.engine.build import Job, prepare
from dlkit.engine.loader import Loader
from dlkit.engine.stacked.feed import Feed
from dlkit.engine.stacked.members import row_of
from dlkit.engine.stacked.parts import Parts
from dlkit.engine.stacked.room import bytes_of_row
from dlkit.engine.stacked.sharing import SharedData
from dlkit.engine.stacked.starting import start_stack
from dlkit.engine.start import start
from dlkit.present.numbers import size


class Case(NamedTuple):
    task: str
    values: dict[str, Any]


BIKE = Case(
    "regression",
    {
        "dataset": {"name": "bike-sharing"},
        "model": {"name": "mlp", "hidden": [32], "dropout": 0.0},
        "trainer": {"optimizer": "sgd", "schedule": "one-cycle"},
        "engine": {"batch_size": 64, "epochs": 8},
    },
)
MNIST = Case(
    "classification",
    {
        "dataset": {"name": "mnist", "flip": False, "crop": 0, "cutout": 0},
        "model": {"name": "mlp", "hidden": [128], "dropout": 0.0},
        "trainer": {"optimizer": "sgd", "schedule": "constant"},
        "engine": {"batch_size": 32, "epochs": 1, "ema": 0.0, "accumulate": 1},
    },
)
QUIET = {"device": "cpu", "sample_every": "never", "precision": "float32"}


def configurations(catalog: Catalog, case: Case, rows: int, seeds: int) -> list[Resolved]:
    """Rows of other rates and decays, and of so many seeds."""
    return [
        resolve(
            catalog,
            case.task,
            [
                Layer("benchmark", case.values),
                Layer(
                    "benchmark",
                    {
                        "trainer": {"lr": 0.005 + 0.03 * k / rows, "weight_decay": 1e-4 * k / rows},
                        "engine": {**case.values["engine"], **QUIET, "seed": k % seeds},
                    },
                ),
            ],
        )
        for k in range(rows)
    ]


Spent = tuple[float, float]
"""Seconds by the clock, and of the processor."""


def timed(work: Callable[[], object]) -> Spent:
    clock, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - clock, time.process_time() - cpu


class Steps:
    """Steps of a stack, and of one of its runs alone."""

    def __init__(self, where: Path, case: Case, rows: int, seeds: int, steps: int, parts: int) -> None:
        catalog, data = Catalog.load_everything(), SharedData()
        context = Context(where / "data", {spec.name: spec for spec in catalog.specs("source")}, offline=True)
        made = configurations(catalog, case, rows, seeds)
        self.rows, self.steps = rows, steps
        jobs = [prepare(catalog, resolved, context, data=data) for resolved in made]
        self.alone = prepare(catalog, made[0], context, data=data)
        for job in (*jobs, self.alone):
            job.trainer.model.train()
        torch.set_num_threads(self.alone.placement.threads)
        self.needed = rows * bytes_of_row(self.alone)
        self.stack = Parts([row_of(job, torch.Generator()) for job in jobs], jobs, parts)
        loaders = [loader_of(job) for job in jobs]
        self.feed = Feed(loaders, [job.resolved.engine.seed for job in jobs], jobs[0].course).steps(0)
        self.loader = loader_of(self.alone).steps()

    def as_one(self) -> Spent:
        def work() -> None:
            for fed in islice(self.feed, self.steps):
                self.stack.step(fed, 1)  # neither probed nor the first

        return timed(work)

    def one(self) -> Spent:
        """As many steps of one run: K of them take K times as long."""
        trainer = self.alone.trainer

        def work() -> None:
            for batches in islice(self.loader, self.steps):
                trainer.step(batches, 1)

        return timed(work)


def loader_of(job: Job) -> Loader:
    return Loader(job.data.train, None, job.resolved.engine, job.placement.device, job.course)


def compare_steps(where: Path, name: str, case: Case, rows: int, seeds: int, options: argparse.Namespace) -> None:
    steps = Steps(where, case, rows, seeds, options.steps, options.parts)
    steps.as_one(), steps.one()
    together, single = [], []
    for _ in range(options.rounds):
        together.append(steps.as_one())
        single += [steps.one(), steps.one()]
        together.append(steps.as_one())
    for which, label in ((0, "clock"), (1, "cpu")):
        alone = statistics.median(spent[which] for spent in single) / options.steps * 1e6
        one = statistics.median(spent[which] for spent in together) / options.steps / rows * 1e6
        seen = f"{name}, K = {rows}, {seeds} seed{'s' if seeds > 1 else ''}, {label}"
        print(f"{seen}: alone {alone:.0f} µs a step, as one {one:.1f}: {alone / one:.1f}×")
    print(f"{name}, K = {rows}: said to take about {size(steps.needed)} of memory")


def compare_whole(where: Path, rows: int, options: argparse.Namespace) -> None:
    """From configurations to finished folders."""
    catalog = Catalog.load_everything()
    context = Context(where / "data", {spec.name: spec for spec in catalog.specs("source")}, offline=True)
    made = configurations(catalog, BIKE, rows, 1)

    def alone() -> None:
        for _ in start(catalog, made[0], where, context).events():
            pass

    def as_one() -> None:
        for _ in start_stack(catalog, made, where, context).events():
            pass

    alone()
    spent = [timed(alone) for _ in range(2 * options.rounds)]
    together = timed(as_one)
    spent += [timed(alone) for _ in range(2 * options.rounds)]
    for which, label in ((0, "clock"), (1, "cpu")):
        single = statistics.median(one[which] for one in spent)
        print(
            f"whole runs, K = {rows}, {label}: alone {single:.2f} s, as one {together[which] / rows:.3f} s each: "
            f"{single / (together[which] / rows):.1f}×"
        )


def compare_processes(where: Path, rows: int, options: argparse.Namespace) -> None:
    """One ``dlkit train`` process, of which K would be started, against a stack."""
    values = ["--dataset", "bike-sharing", "--model.hidden", "32", "--model.dropout", "0", "--batch-size", "64"]
    words = [sys.executable, "-m", "dlkit", "train", "regression", *values, "--epochs", "8", "--workspace", str(where)]
    quiet = [*words, "--offline", "--quiet", "--device", "cpu", "--engine.sample_every", "never"]
    spent = [_process(quiet) for _ in range(options.rounds)]
    catalog = Catalog.load_everything()
    context = Context(where / "data", {spec.name: spec for spec in catalog.specs("source")}, offline=True)
    made = configurations(catalog, BIKE, rows, 1)
    together = timed(lambda: [None for _ in start_stack(catalog, made, where, context).events()])
    for which, label in ((0, "clock"), (1, "cpu")):
        single, each = statistics.median(one[which] for one in spent), together[which] / rows
        print(
            f"processes, K = {rows}, {label}: one takes {single:.2f} s, as one {each:.3f} s each: {single / each:.0f}×"
        )


def _process(words: Sequence[str]) -> Spent:
    """One that is waited for; its own CPU seconds."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(words, check=True, capture_output=True)
    took, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", default=["bike", "mnist", "whole", "processes"])
    parser.add_argument("--rows", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--parts", type=int, default=1, help="of bike and mnist: threads that share the rows")
    options = parser.parse_args(words)
    with workspace() as where:
        if "bike" in options.what:
            for seeds in (1, options.rows):
                compare_steps(where, "bike-sharing", BIKE, options.rows, seeds, options)
        if "mnist" in options.what:
            for rows in (16, 64):
                compare_steps(where, "mnist", MNIST, rows, 1, options)
        if "whole" in options.what:
            compare_whole(where, options.rows, options)
        if "processes" in options.what:
            compare_processes(where, options.rows, options)


if __name__ == "__main__":
    main()
