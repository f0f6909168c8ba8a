"""Localization's presets in about equal time, each to its end, selected on validation, the best then tested once.

    DLKIT_TEST_DATA=… uv run python tests/benchmarks/bench_localization.py [PRESET …] [--seconds 400] [--seed 0]

MNIST's digits on the default canvas. Prints the rows of the plugin README's table, what ``dlkit compare`` says of the
runs, and the test figures of the one with the best validation. With ``--keep DIR`` the runs stay there, and those that
are there already are not made again.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path

import dlkit
from common import data_folder, workspace
from dlkit.cli.main import main as command
from dlkit.events import Finished, Started
from dlkit.runs.log import read_events

PRESETS = ("lenet", "lenet-relu", "lenet-wide", "spotlight")
MEASURES = ("strict_accuracy", "class_accuracy", "mean_iou", "box_accuracy", "detection_accuracy", "performance")
STEPS = 54_000 // 128
"""Of an epoch; every preset has batches of 128."""
LINES = {"class_accuracy": 0.987, "mean_iou": 0.92, "strict_accuracy": 0.985}
"""What the test must reach."""


def train(where: Path, preset: str, seconds: float, seed: int) -> dlkit.Run:
    """One preset, as ``dlkit train localization --preset NAME --max-time SECONDS``."""
    kept = [run for run in dlkit.list_runs(where) if (run.summary.name, run.state) == (preset, "completed")]
    return (
        kept[0]
        if kept
        else dlkit.train(
            "localization",
            preset=preset,
            dataset={"source": "mnist"},
            seed=seed,
            max_time=seconds,
            name=preset,
            workspace=where,
            offline=True,
        )
    )


def described(run: dlkit.Run) -> list[str]:
    """A run's row of the table."""
    events = read_events(run.path / "events.jsonl")
    (size,) = (event.summary["model"]["parameters"] for event in events if isinstance(event, Started))
    (end,) = (event for event in events if isinstance(event, Finished))
    head = [run.summary.name, f"{size:,}", f"{end.steps / STEPS:.1f}", f"{end.train_seconds:.0f}"]
    return [*head, *percent(run.metrics, "val")]


def row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def percent(values: Mapping[str, float], split: str) -> list[str]:
    """The measures as they stand in the table; mean IoU as it is."""
    found = [(name, values[f"{split}/{name}"]) for name in MEASURES]
    return [f"{value:.4f}" if name == "mean_iou" else f"{value:.2%}" for name, value in found]


def compare(where: Path, presets: list[str], seconds: float, seed: int) -> None:
    print(row(["preset", "parameters", "epochs", "seconds", *(name.replace("_", " ") for name in MEASURES)]))
    print(row(["---"] * (4 + len(MEASURES))))
    runs: dict[str, dlkit.Run] = {}
    for preset in presets:
        runs[preset] = train(where, preset, seconds, seed)
        if runs[preset].state != "completed":
            sys.exit(f"{runs[preset].id} was {runs[preset].state}: the comparison is off")
        print(row(described(runs[preset])), flush=True)
    if len(runs) > 1:
        command(["compare", *(run.id for run in runs.values()), "--workspace", str(where)])
    if len(runs) < len(PRESETS):  # the choice is not yet made, and the test is looked at once
        return
    best = max(runs, key=lambda preset: runs[preset].metrics["val/strict_accuracy"])
    test = runs[best].evaluate("test")
    print(f"test, {best} ({runs[best].id}): " + ", ".join(f"{name} {test[f'test/{name}']:.4f}" for name in MEASURES))
    for name, line in LINES.items():
        reached = "reached" if test[f"test/{name}"] >= line else "MISSED"
        print(f"  {name} {test[f'test/{name}']:.4f} (≥ {line}): {reached}")
    lenets = [1 - run.metrics["val/strict_accuracy"] for preset, run in runs.items() if preset.startswith("lenet")]
    if lenets and "spotlight" in runs:
        error = 1 - runs["spotlight"].metrics["val/strict_accuracy"]
        print(f"strict error on validation: spotlight {error:.2%}, the best LeNet {min(lenets):.2%}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("presets", nargs="*", default=list(PRESETS))
    parser.add_argument("--seconds", type=float, default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="workspace to use, in place of a throw-away one")
    options = parser.parse_args()
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
        if not (options.keep / "data").exists():
            (options.keep / "data").symlink_to(data_folder().resolve())
    with nullcontext(options.keep) if options.keep else workspace() as where:
        compare(where, options.presets, options.seconds, options.seed)


if __name__ == "__main__":
    main()
