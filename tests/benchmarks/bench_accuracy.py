"""What the plugins' defaults reach on real data: the commands as a user types them, test looked at once a run.

    DLKIT_TEST_DATA=… uv run python tests/benchmarks/bench_accuracy.py [NAME …] [--seeds 3]

Prints each line's median over the seeds, with training seconds (from first to last step, evaluation apart).
"""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path
from typing import Any

import dlkit
from common import workspace

LINES: dict[str, tuple[str, dict[str, Any], str, str, float]] = {
    # name: task, arguments, metric, "≤" or "≥", the line to reach
    "bike mlp": ("regression", {"dataset": "bike-sharing", "model": "mlp"}, "val/mse", "≤", 0.115),
    "bike scratch-mlp": ("regression", {"dataset": "bike-sharing", "model": "scratch-mlp"}, "val/mse", "≤", 0.18),
    "mnist mlp": ("classification", {"dataset": "mnist", "model": "mlp"}, "test/accuracy", "≥", 0.982),
    "mnist cnn": ("classification", {"dataset": "mnist", "model": "cnn"}, "test/accuracy", "≥", 0.993),
    "cifar10 cnn": ("classification", {"dataset": "cifar10", "model": "cnn"}, "test/accuracy", "≥", 0.75),
    "cifar10 fast": (
        "classification", {"dataset": "cifar10", "model": "resnet", "preset": "fast"}, "test/accuracy", "≥", 0.70,
    ),
    "cifar10 default": ("classification", {"dataset": "cifar10", "model": "resnet"}, "test/accuracy", "≥", 0.90),
}  # fmt: skip


def once(where: Path, name: str, seed: int) -> tuple[float, float, float]:
    """The line's metric, the test metric, and the training seconds of one run."""
    task, arguments, metric, _, _ = LINES[name]
    finished: list[Any] = []
    run = dlkit.train(task, workspace=where, offline=True, seed=seed, on_event=finished.append, **arguments)
    test = run.evaluate("test")
    values = {**run.metrics, **test}
    other = "test/mse" if task == "regression" else "test/accuracy"
    return values[metric], values[other], finished[-1].train_seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=list(LINES))
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    with workspace() as where:
        for name in options.names:
            rows = [once(where, name, seed) for seed in range(options.seeds)]
            value, test, seconds = (statistics.median(column) for column in zip(*rows, strict=True))
            _, _, metric, sign, line = LINES[name]
            each = ", ".join(f"{row[0]:.4f}" for row in rows)
            print(
                f"{name}: {metric} {value:.4f} ({sign} {line}; {each}), test {test:.4f}, {seconds:.1f} s of training",
                flush=True,
            )


if __name__ == "__main__":
    main()
