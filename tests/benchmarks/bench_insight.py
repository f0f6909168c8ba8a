"""Where Grad-CAM looks: the figures of plugins/insight/README.md.

    uv run python tests/benchmarks/bench_insight.py [--seeds 3] [--epochs N]

Localization's default model is trained on its embedded digits, once a seed. On the images of the test split that hold
an object, which no setting was chosen on: is the peak inside the true box, asked why of the class, and why of ``any
object``; by Grad-CAM as it is here, and as it was first published (``weigh channels``).
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import torch

import dlkit
from dlkit.catalog import Catalog
from dlkit.data.context import make_context
from dlkit.engine.build import build_data, build_task
from dlkit.runs.folder import RunFolder
from dlkit.use.load import Question, asked_otherwise, load_predictor

CHUNK = 64


def inside(run: dlkit.Run, where: Path, options: dict[str, Any]) -> float:
    """Share of the test images with an object whose peak is in the box."""
    catalog = Catalog.load_everything()
    loaded = load_predictor(catalog, RunFolder(run.path), "best")
    asked = asked_otherwise(catalog, loaded, Question("grad-cam", options)).predictor
    task = build_task(catalog, loaded.resolved.task)
    split = build_data(catalog, loaded.resolved, task, make_context(catalog, where, offline=True))[0].splits["test"]
    batch = split.take(torch.arange(len(split)))
    chosen = torch.nonzero(batch["present"] > 0).flatten()
    hits = 0
    for some in chosen.split(CHUNK):
        images, boxes = batch["image"][some], batch["box"][some]
        height, width = images.shape[2:]
        for found, (x, y, w, h) in zip(asked.explain(images), boxes.tolist(), strict=True):
            column, row = found.peak[0] / width, found.peak[1] / height
            hits += abs(column - x) <= w / 2 and abs(row - y) <= h / 2
    return hits / len(chosen)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, help="fewer than the task's own")
    options = parser.parse_args()
    engine = {"epochs": options.epochs} if options.epochs else {}
    ways = {
        "why the class": {},
        "why any object": {"target": "any object"},
        "why the class, as first published": {"weigh": "channels"},
    }
    print("| seed | " + " | ".join(ways) + " | test metrics |")
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder)
        for seed in range(options.seeds):
            run = dlkit.train("localization", engine={**engine, "sample_every": "never"}, workspace=where, seed=seed)
            shares = " | ".join(f"{inside(run, where, way):.1%}" for way in ways.values())
            print(f"| {seed} | {shares} | {run.evaluate('test')} |", flush=True)


if __name__ == "__main__":
    main()
