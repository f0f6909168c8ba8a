"""What it is worth to begin with what was learned before: the figures of plugins/transfer/README.md.

    DLKIT_TEST_DATA=… uv run python tests/benchmarks/bench_transfer.py [hymenoptera|cache|faces …] [--seeds 3]

``hymenoptera`` (ants and bees; needs hymenoptera/ and squeezenet1_1/): the folder's own validation images, the last
checkpoint, nothing being chosen by them; from scratch for the seconds that the frozen network took with its features.
``cache``: 25 epochs, features kept and computed anew, and whether the heads are equal. ``faces``: detection's pyramid
on 100 pictures that bench_detection builds; the same network from scratch, as many epochs.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

import bench_detection
import dlkit
from common import data_folder, workspace
from dlkit.engine.checkpoint import tensors_of
from dlkit.runs.checkpoints import choose

SEEN = {"flip": True, "zoom": 1.8, "size": 256}
"""How images are augmented, of which views are kept."""
VIEWS = 8
BRIEF = {"lr": 1e-4}
"""Where the network knows the classes itself, there is little to learn. Size, rate and epochs were chosen among seven
settings by five-fold cross-validation on the training images alone."""


def classify(where: Path, seed: int, model: dict[str, Any], **sections: Any) -> tuple[dlkit.Run, float]:
    """A run on hymenoptera, and the seconds from its command to its end."""
    began = time.perf_counter()
    own = {"name": "files", "path": str(data_folder() / "hymenoptera"), **sections.pop("dataset", {})}
    run = dlkit.train(
        "classification",
        dataset=own,
        model={"name": "pretrained", **model},
        engine={"eval_every": "end", "sample_every": "never", **sections.pop("engine", {})},
        workspace=where,
        offline=True,
        seed=seed,
        **sections,
    )
    return run, time.perf_counter() - began


def squeezenet() -> dict[str, Any]:
    (file,) = (data_folder() / "squeezenet1_1").glob("*.safetensors")
    return {"backbone": "squeezenet1_1", "weights": str(file)}


def hymenoptera(where: Path, seeds: int) -> None:
    print("| | validation accuracy, by seed | mean | seconds |")
    rows: dict[str, Callable[[int, float], tuple[dlkit.Run, float]]] = {
        "embedded, frozen": lambda seed, _: classify(where, seed, {}),
        "embedded, from scratch, as long": lambda seed, limit: classify(
            where, seed, {"weights": "none"}, engine={"epochs": 1000, "max_time": limit}
        ),
        "SqueezeNet, frozen": lambda seed, _: classify(where, seed, {**squeezenet(), "own_classes": False}),
        "SqueezeNet, frozen, eight views": lambda seed, _: classify(
            where, seed, {**squeezenet(), "own_classes": False}, dataset=SEEN, trainer={"views": VIEWS}
        ),
        "SqueezeNet, frozen, and what it says of ants and bees itself": lambda seed, _: classify(
            where, seed, squeezenet(), dataset={"size": 256}, trainer=BRIEF, engine={"epochs": 10}
        ),
    }
    limit = 0.0
    for name, once in rows.items():
        found = [once(seed, limit) for seed in range(seeds)]
        values = [run.history("val/accuracy")[1][-1] for run, _ in found]
        took = statistics.mean(seconds for _, seconds in found)
        limit = limit or max(seconds for _, seconds in found)
        each = ", ".join(f"{value:.1%}" for value in values)
        print(f"| {name} | {each} | {statistics.mean(values):.1%} | {took:.0f} |", flush=True)


def cache(where: Path, seeds: int) -> None:
    """Interleaved; the first run of those that keep features computes them. Small images: without, it takes long."""
    engine = {"epochs": 25, "precision": "float32", "threads": 1}
    seconds: dict[bool, list[float]] = {True: [], False: []}
    totals: dict[bool, list[float]] = {True: [], False: []}
    heads = {}
    for _ in range(seeds):
        for keeps in (True, False):
            done: list[Any] = []
            sections = {"dataset": {"size": 112}, "trainer": {"cache": keeps}, "engine": engine}
            run, whole = classify(where, 0, squeezenet(), **sections, on_event=done.append)
            heads[keeps] = tensors_of(choose(run.path, "last"), "model.safetensors")
            seconds[keeps].append(done[-1].train_seconds)
            totals[keeps].append(whole)
    equal = all(torch.equal(heads[True][name], heads[False][name]) for name in heads[True])
    kept, anew = (statistics.median(seconds[keeps]) for keeps in (True, False))
    print(f"25 epochs of training: {kept:.2f} s with features kept, {anew:.1f} s without: {anew / kept:.0f} times")
    print(f"whole runs, the first of which computes the features: {totals[True]}, without: {totals[False]}")
    print(f"heads equal bit for bit: {equal}")


def faces(where: Path, seeds: int) -> None:
    bench_detection.PARTS = {"train": 100, "val": 100, "test": 200}
    root = bench_detection.build_photographs(where / "faces")
    scratch = {"backbone": "own", "widths": [32, 64, 128, 160], "blocks": [0, 1, 1, 1]}
    print("| | test mAP, by seed | mean | seconds of training |")
    for name, model in (("embedded", {"backbone": "embedded"}), ("from scratch", scratch)):
        values, took = [], []
        for seed in range(seeds):
            done: list[Any] = []
            run = dlkit.train(
                "detection",
                preset="photographs",
                dataset={"name": "files", "path": str(root)},
                model={"name": "pyramid", **model},
                engine={"epochs": 15, "batch_size": 16, "eval_every": "end", "sample_every": "never"},
                workspace=where,
                seed=seed,
                on_event=done.append,
            )
            values.append(run.evaluate("test")["test/map"])
            took.append(done[-1].train_seconds)
        each = ", ".join(f"{value:.1%}" for value in values)
        print(f"| {name} | {each} | {statistics.mean(values):.1%} | {statistics.mean(took):.0f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    measures = {"hymenoptera": hymenoptera, "cache": cache, "faces": faces}
    parser.add_argument("names", nargs="*", default=list(measures))
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    with workspace() as where:
        for name in options.names:
            measures[name](where, options.seeds)


if __name__ == "__main__":
    main()
