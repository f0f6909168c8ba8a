"""How tests/runs/kept/ was made: a small run of every task, stopped on its way, and what the same code made of it.

    python tests/kept_runs.py

``kept/NAME.tar.xz`` holds a run as format 1 writes it, stopped at step 8 of 16; ``kept/continued.json`` what going on
to the end came to, and on which machine. Neither is made again while run.json's ``format`` stays 1: later versions must
list, show and continue what this one wrote, and this file shows how it was done with the code of then. (Packed:
sentencepiece's tables are 480 kB of a run, 83 kB in here.)
"""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
KEPT = HERE / "runs" / "kept"
STOP, END = 8, 16
ENGINE: dict[str, Any] = {
    "epochs": None, "steps": END, "device": "cpu", "precision": "float32", "threads": 1, "batch_size": 4,
    "eval_every": "8 steps", "eval_batch_size": 8, "limit_batches": 2, "sample_every": "8 steps", "keep": 1,
    "probe_every": 2, "checkpoint_every": 3600.0,
}  # fmt: skip
CANVASES = {"source": "digits", "train": 24, "val": 8, "test": 8}
RECIPES: dict[str, dict[str, Any]] = {
    "regression": {"model": {"name": "mlp", "hidden": [6], "dropout": 0.2}, "engine": {"keep": 2}},
    "regression-scratch": {
        "model": {"name": "scratch-mlp", "hidden": [6], "dropout": 0.2}, "trainer": {"name": "scratch"}
    },
    "classification": {  # it could end by the clock, so that its log tells the time left
        "model": {"name": "cnn", "channels": [2, 4], "hidden": 6}, "engine": {"max_time": 3600.0}
    },
    "localization": {
        "dataset": CANVASES,
        "model": {
            "name": "spotlight", "stem_width": 2, "widths": [4, 4], "blocks": [0, 1], "neck": 4, "glimpse": 8,
            "glimpse_widths": [2, 4],
        },
    },
    "detection": {
        "dataset": {**CANVASES, "flip": True, "shift": 0.1},
        "model": {
            "name": "pyramid", "widths": [2, 4, 4, 4], "blocks": [0, 1, 0, 0], "neck": 4, "head": 1,
        },
    },
    "embeddings": {
        "dataset": {"vocabulary": 60, "evaluated": 64}, "model": {"name": "skip-gram", "size": 8},
        "engine": {"batch_size": 64, "eval_batch_size": 64},
    },
    "conjugation": {
        "dataset": {"vocabulary": 60, "embeddings": "none"},
        "model": {"name": "mlp", "embedding": 8, "hidden": [8]},
    },
    "textgen": {
        "dataset": {"context": 16}, "model": {"name": "transformer", "layers": 1, "width": 8, "heads": 2}
    },
    "translation": {
        "dataset": {"pairs": 400, "vocabulary": 120},
        "model": {"name": "transformer", "width": 8, "heads": 2, "layers": 1, "decoder_layers": 1},
    },
    "gan": {
        "dataset": {"size": 28},
        "model": {"name": "spectral", "latent": 4, "width": 2, "discriminator_width": 2},
        "engine": {"ema": 0.9},
    },
    "autoencoder": {
        "model": {
            "name": "variational", "code": 4, "width": 4, "stem": 2, "blocks": 1, "hidden": 8, "components": 2
        },
        "engine": {"clip": 1.0},
    },
    "kernels": {"dataset": {"side": 32}, "model": {"name": "learnt", "size": [3, 3]}, "trainer": {"lr": 0.001}},
    "points": {"dataset": {"name": "moons", "points": 48}, "model": {"name": "mlp", "hidden": [4]}},
    "style": {
        "dataset": {"size": 32},
        "model": {
            "name": "squeezenet", "style_layers": ["conv1", "relu1"], "content_layers": ["pool1"], "levels": 2,
        },
        "trainer": {"history": 2},
    },
}  # fmt: skip


def main(names: list[str]) -> None:
    """Train each to step 8, keep a copy, and go on."""
    from dlkit.engine import loop

    loop.FLUSH_SECONDS = 0  # it looks at its orders at every step
    continued: dict[str, Any] = {"machine": machine(), "runs": {}}
    shutil.rmtree(KEPT, ignore_errors=True)
    KEPT.mkdir()
    with tempfile.TemporaryDirectory() as folder:
        for name in names or RECIPES:
            continued["runs"][name] = keep(Path(folder), name)
    (KEPT / "continued.json").write_text(json.dumps(continued, indent=1) + "\n")


def keep(workspace: Path, name: str) -> dict[str, Any]:
    """Pack one run; what it came to."""
    from dlkit.api import Run
    from dlkit.catalog import Catalog
    from dlkit.config import Layer, resolve
    from dlkit.data.context import make_context
    from dlkit.engine.start import resume, start
    from outcome import outcome, values_of

    recipe = RECIPES[name]
    task = name.partition("-")[0]
    catalog = Catalog.load_everything()
    context = make_context(catalog, workspace)
    layer = {**recipe, "engine": {**ENGINE, **recipe.get("engine", {})}}
    attempt = start(catalog, resolve(catalog, task, [Layer("kept", layer)]), workspace, context, name=name)
    run = attempt.run
    if name == "regression":  # its log has what others lack: orders obeyed, a resume that makes steps void
        walk_to(attempt, 6, {2: ("set", "trainer.lr", 0.005), 3: ("checkpoint", "", None)})
        as_if_killed(run)
        attempt = resume(catalog, run, context)
    walk_to(attempt, STOP)
    if name == "regression":
        Run(run).evaluate("test")
    tidy(run)
    with tarfile.open(KEPT / f"{name}.tar.xz", "w:xz", preset=9) as archive:
        archive.add(run.path, run.id)
    measured = Run(run).evaluate("val")
    for _ in resume(catalog, run, context).events():
        pass
    step, weights, state = outcome(run)
    values = [[metric, at, value] for (metric, at), value in values_of(run).items() if not by_the_clock(metric)]
    return {
        "id": run.id, "task": task, "measured": measured, "step": step, "weights": weights, "state": state,
        "values": values,
    }  # fmt: skip


def by_the_clock(metric: str) -> bool:
    """Whether it is another figure every time."""
    return metric.endswith("_per_second")


def walk_to(attempt: Any, end: int, orders: Mapping[int, tuple[str, str, Any]] | None = None) -> None:
    """Train, giving each order when its step is seen, and walk away at ``end``: after its samples, if it has any."""
    from dlkit.runs import commands

    left = dict(orders or {})
    stream = attempt.events()
    for event in stream:
        if event.event == "samples" and event.step >= end:
            break
        if event.event != "metrics":
            continue
        at = event.first + (event.count - 1) * event.every
        for step in [step for step in left if step <= at]:
            action, key, value = left.pop(step)
            commands.append(attempt.run.commands, action, key, value, by="kept")
        if at >= end and end < STOP:
            break
    stream.close()


def as_if_killed(run: Any) -> None:
    """Without the last checkpoint and what the log says from there on."""
    from dlkit.runs.checkpoints import choose

    last = choose(run.path, "last")
    shutil.rmtree(last.folder)
    lines = run.events.read_bytes().splitlines(keepends=True)
    run.events.write_bytes(b"".join(lines[: last.manifest.seq]))
    run.update(state="running")


def tidy(run: Any) -> None:
    """Without what belongs to this machine."""
    run.update(host="example", command=["dlkit", "train", run.read()["task"]], git="")
    run.lock.unlink(missing_ok=True)


def machine() -> dict[str, str]:
    """What the bits of a result depend on."""
    import numpy
    import torch

    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    told = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    flags = hashlib.sha256(told.get("flags", "").encode()).hexdigest()
    return {
        "cpu": told.get("model name", platform.processor()), "flags": flags, "torch": torch.__version__,
        "numpy": numpy.__version__, "python": platform.python_version(),
    }  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1:])
