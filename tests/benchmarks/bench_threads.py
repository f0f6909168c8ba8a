"""Trainings that share two cores: how long each takes alone, two at once, and beside a busy loop.

    DLKIT_TEST_DATA=… uv run python tests/benchmarks/bench_threads.py [--steps 1500] [--rounds 3] [--before]

MNIST, the multilayer perceptron, batch 64, two threads each, as `dlkit train` starts it; the time is that of its steps
(`train_seconds`). Alone, dlkit's wait (GOMP_SPINCOUNT) and GNU's own are interleaved, A B B A. ``--before`` runs two at
once with GNU's own too, which takes minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from common import interleaved, workspace
from dlkit.openmp import SPIN_COUNT

OWN = {"GOMP_SPINCOUNT": "300000"}
"""What GNU's OpenMP does by itself where a process has no more threads than the machine has cores."""
BUSY = "while True: pass"


def start(where: Path, steps: int, said: dict[str, str]) -> subprocess.Popen[str]:
    words = ["train", "classification", "--dataset", "mnist", "--model", "mlp", "--steps", str(steps), "--json"]
    words += ["--engine.eval_every", "never", "--engine.sample_every", "never", "--engine.threads", "2"]
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


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--before", action="store_true")
    options = parser.parse_args()
    with workspace() as where:

        def alone(said: dict[str, str]) -> float:
            return seconds(start(where, options.steps, said))

        def together(said: dict[str, str]) -> list[float]:
            processes = [start(where, options.steps, said) for _ in range(2)]
            return [seconds(process) for process in processes]

        ours, gnus = interleaved(lambda: alone({}), lambda: alone(OWN), options.rounds)
        base, own = statistics.median(ours), statistics.median(gnus)
        print(f"alone: {base:.2f} s with {SPIN_COUNT}, {own:.2f} s with GNU's own: {base / own:.3f}")
        both = [together({}) for _ in range(options.rounds)]
        slower = statistics.median(max(pair) for pair in both)
        print(f"two at once, the slower: {slower:.2f} s: {slower / base:.2f}x alone")
        with busy_loop():
            beside = statistics.median(alone({}) for _ in range(options.rounds))
        print(f"beside a busy loop: {beside:.2f} s: {beside / base:.2f}x alone")
        if options.before:
            pair = together(OWN)
            print(f"two at once with GNU's own: {pair[0]:.1f} s and {pair[1]:.1f} s: {max(pair) / own:.1f}x alone")


if __name__ == "__main__":
    main()
