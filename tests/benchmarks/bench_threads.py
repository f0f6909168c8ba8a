"""Trainings that share two cores: how long each takes alone, two at once, and beside a busy loop.

    DLKIT_TEST_DATA=… uv run python tests/benchmarks/bench_threads.py [--steps 1500] [--rounds 3] [--before]
    uv run python tests/benchmarks/bench_threads.py --models

MNIST, the multilayer perceptron, batch 64, as `dlkit train` starts it, which decides how many threads it takes; the
time is that of its steps (`train_seconds`). Alone, that and what was before (as many threads as cores, GNU's own wait)
are interleaved, A B B A. ``--before`` runs two at once as before too, which takes minutes.

``--models``: what a second thread gains, model by model, and how large their operations are: the measurement behind
`engine.threads.SMALL`. The least of many short stretches of steps, one and two threads interleaved, since both cores
are free at times only.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from dlkit.openmp import SPIN_COUNT, wait_asleep

wait_asleep()  # before torch is loaded

import torch  # noqa: E402

from common import interleaved, workspace  # noqa: E402
from dlkit.catalog import Catalog  # noqa: E402
from dlkit.config import Layer, resolve  # noqa: E402
from dlkit.data.context import make_context  # noqa: E402
from dlkit.engine.build import prepare  # noqa: E402
from dlkit.engine.threads import multiplications  # noqa: E402

OWN = {"GOMP_SPINCOUNT": "300000"}
"""What GNU's OpenMP does by itself where a process has no more threads than the machine has cores."""
CORES = 2
SIZES: Mapping[str, Sequence[int]] = {
    "classification mlp": (64, 256, 1024),
    "classification cnn": (64, 128, 256),
    "classification resnet": (64, 128),
    "autoencoder deep": (64,),
    "autoencoder convolutional": (32, 64),
    "conjugation mlp": (64, 256),
    "conjugation rnn": (64, 256),
    "detection grid-lenet": (32, 128),
    "localization lenet": (32, 128),
    "embeddings cbow": (128, 1024),
    "gan spectral": (16, 64),
    "textgen gru": (8, 32),
    "textgen transformer": (1, 4, 16),
    "translation transformer": (4, 64),
}
"""Task and model, with data that come with the package; batches."""
STRETCH = 0.02
"""Seconds of steps that are timed at once."""
BUSY = "while True: pass"


def start(where: Path, steps: int, said: dict[str, str]) -> subprocess.Popen[str]:
    words = ["train", "classification", "--dataset", "mnist", "--model", "mlp", "--steps", str(steps), "--json"]
    words += ["--engine.eval_every", "never", "--engine.sample_every", "never"]
    words += ["--engine.threads", str(CORES)] if said else []
    environment = {n: v for n, v in os.environ.items() if not n.startswith(("OMP_", "GOMP_", "KMP_"))} | said
    command = [sys.executable, "-m", "dlkit", *words, "--device", "cpu", "--workspace", str(where)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def seconds(process: subprocess.Popen[str]) -> float:
    out, _ = process.communicate()
    found: float = json.loads(out.splitlines()[-1])["train_seconds"]
    return found


@contextmanager
def busy_loop() -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-c", BUSY])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def gains(pair: str, batch_size: int, rounds: int) -> None:
    """Print how large a model's operations are, and how long a step takes with one thread and with two."""
    task, model = pair.split()
    engine = {"batch_size": batch_size, "threads": 1, "device": "cpu", "epochs": 1}
    small = {"dataset": {"train": 800, "val": 200, "test": 200}} if task in ("detection", "localization") else {}
    catalog = Catalog.load_everything()
    resolved = resolve(catalog, task, [Layer("benchmark", {"model": {"name": model}, "engine": engine, **small})])
    with tempfile.TemporaryDirectory() as folder:
        job = prepare(catalog, resolved, make_context(catalog, Path(folder), offline=True))
    batch = job.data.train.take(torch.arange(min(batch_size, len(job.data.train))))
    work = multiplications(job.trainer.model, tuple(batch[key] for key in job.task.inputs))
    job.trainer.load_local({})

    def stretch(number: int, steps: int) -> float:
        torch.set_num_threads(number)
        began = time.perf_counter()
        for _ in range(steps):
            job.trainer.step([batch], 0)
        return (time.perf_counter() - began) / steps

    steps = max(2, int(STRETCH / stretch(1, 3)))
    ones, twos = interleaved(lambda: stretch(1, steps), lambda: stretch(2, steps), rounds)
    one, two = min(ones), min(twos)
    print(
        f"{pair:26} batch {len(batch[job.task.inputs[0]]):5}  {work / 1e6:8.3f} million multiplications an operation  "
        f"{1e3 * one:8.3f} / {1e3 * two:8.3f} ms  gain {one / two:.2f}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--models", action="store_true")
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--before", action="store_true")
    options = parser.parse_args()
    if options.models:
        for pair, sizes in SIZES.items():
            for size in sizes:
                gains(pair, size, 20)
        return
    with workspace() as where:

        def alone(said: dict[str, str]) -> float:
            return seconds(start(where, options.steps, said))

        def together(said: dict[str, str]) -> list[float]:
            processes = [start(where, options.steps, said) for _ in range(2)]
            return [seconds(process) for process in processes]

        ours, gnus = interleaved(lambda: alone({}), lambda: alone(OWN), options.rounds)
        base, own = statistics.median(ours), statistics.median(gnus)
        print(f"alone: {base:.2f} s, before {own:.2f} s: {base / own:.3f} (spins {SPIN_COUNT} times)")
        both = [together({}) for _ in range(options.rounds)]
        slower = statistics.median(max(pair) for pair in both)
        print(f"two at once, the slower: {slower:.2f} s: {slower / base:.2f}x alone")
        with busy_loop():
            beside = statistics.median(alone({}) for _ in range(options.rounds))
        print(f"beside a busy loop: {beside:.2f} s: {beside / base:.2f}x alone")
        if options.before:
            pair = together(OWN)
            print(f"two at once as before: {pair[0]:.1f} s and {pair[1]:.1f} s: {max(pair) / own:.1f}x alone")


if __name__ == "__main__":
    main()
