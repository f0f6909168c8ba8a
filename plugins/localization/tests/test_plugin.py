"""The plugin as a whole: light to list, sound to resolve, and trained, resumed, evaluated and asked end to end."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

import dlkit
from dlkit.catalog import Catalog
from dlkit.config import Layer, resolve
from dlkit.config_file import preset_layer, presets
from dlkit.data.context import Context
from dlkit.engine.checkpoint import load_state
from dlkit.runs.checkpoints import choose

TASK = "localization"


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog.load_everything()


def test_listing_imports_no_torch() -> None:
    code = (
        "import sys; import dlkit_localization.plugin as p; assert not {'pydantic', 'numpy'} & set(sys.modules);"
        "import dlkit_localization.task, dlkit_localization.options;"
        "heavy = {'torch', 'sklearn', 'PIL'} & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize("dataset", ["digit-canvas", "files"])
@pytest.mark.parametrize(
    ("model", "loss"),
    [("lenet", "three-part"), ("lenet-relu", "three-part"), ("lenet-wide", "three-part"), ("spotlight", "iou")],
)
def test_defaults_resolve_for_every_pair(dataset: str, model: str, loss: str, catalog: Catalog) -> None:
    options = {"name": dataset, "path": "photos"} if dataset == "files" else {"name": dataset}
    resolved = resolve(catalog, TASK, [Layer("flag", {"dataset": options, "model": {"name": model}})])
    assert resolved.specs["loss"].name == loss and resolved.specs["inference"].name == "localizer"
    assert resolved.engine.epochs and resolved.sections["trainer"].schedule != "constant"  # type: ignore[attr-defined]


def test_every_preset_resolves(catalog: Catalog) -> None:
    own = {entry.name for entry in (files("dlkit_localization") / "presets").iterdir()}
    mine = [preset for preset in presets(catalog, TASK) if preset.file in own]
    assert len(mine) == len(own) > 0
    for preset in mine:
        layers = [preset_layer(catalog, TASK, preset.name, preset.components())]
        if preset.components().get("dataset") == "files":
            layers.append(Layer("flag", {"dataset": {"path": "photos"}}))
        resolved = resolve(catalog, TASK, layers)
        assert {part: resolved.specs[part].name for part in preset.components()} == preset.components()
        assert preset.summary


def train(root: Path, workspace: Path, **engine: Any) -> Any:
    return dlkit.train(
        TASK,
        dataset={"name": "files", "path": str(root), "height": 24, "width": 24, "flip": True},
        model={"name": "spotlight", "stem_width": 8, "widths": [16, 16], "blocks": [0, 0], "neck": 16},
        trainer={"name": "supervised", "optimizer": "adamw", "lr": 0.02, "schedule": "constant"},
        **{"epochs": 12, "batch_size": 10, "device": "cpu", "precision": "float32", **engine},
        workspace=workspace,
    )


def test_trained_evaluated_and_asked(coloured: Callable[..., Path], tmp_path: Path) -> None:
    root = coloured(count=150)
    run = train(root, tmp_path / "workspace")
    assert run.state == "completed" and run.metrics["val/detection_accuracy"] > 0.9
    assert run.metrics["val/class_accuracy"] > 0.7 and run.metrics["val/mean_iou"] > 0.5
    assert {"val/strict_accuracy", "val/box_accuracy", "val/performance", "val/overlap"} <= set(run.metrics)
    assert run.evaluate("test")["test/performance"] > 0.6
    shutil.rmtree(root)
    image = Image.new("RGB", (50, 40), (90, 90, 90))
    image.paste((20, 30, 220), (10, 12, 24, 26))
    image.save(tmp_path / "ask.png")
    predictor = run.predictor()
    (answer,) = predictor.predict(predictor.read([str(tmp_path / "ask.png")]))
    assert answer["present"] and answer["class"] == "blue"
    x1, y1, x2, y2 = answer["box"]
    assert x1 < 17 < x2 and y1 < 19 < y2


def test_resumed_it_is_as_if_never_stopped(coloured: Callable[..., Path], tmp_path: Path) -> None:
    root = coloured(count=60)
    whole = train(root, tmp_path / "one", epochs=4)
    part = train(root, tmp_path / "two", epochs=4, max_time=1e-6)
    assert part.summary.step < whole.summary.step
    part.resume(max_time=3600)
    one, two = (load_state(choose(run.path, "last"))["trainer"] for run in (whole, part))
    flat_one, flat_two = list(tensors(one)), list(tensors(two))
    assert len(flat_one) == len(flat_two) > 10
    assert all(torch.equal(a, b) for a, b in zip(flat_one, flat_two, strict=True))
    assert whole.metrics == part.metrics


def tensors(tree: Any) -> Any:
    if isinstance(tree, torch.Tensor):
        yield tree
    elif isinstance(tree, dict):
        for key in sorted(tree, key=str):
            yield from tensors(tree[key])
    elif isinstance(tree, list):
        for value in tree:
            yield from tensors(value)


@pytest.mark.realdata
def test_real_digits_are_found_and_named(real: Context, tmp_path: Path) -> None:
    """A small part of the data and seconds of training: a line that nothing but learning crosses."""
    (tmp_path / "workspace").mkdir()
    (tmp_path / "workspace" / "data").symlink_to(real.data.resolve())
    run = dlkit.train(
        TASK,
        dataset={"name": "digit-canvas", "source": "mnist", "train": 12000, "val": 1000, "test": 2000},
        epochs=3,
        max_time=60,
        device="cpu",
        workspace=tmp_path / "workspace",
        offline=True,
    )
    found = run.evaluate("test")
    assert found["test/detection_accuracy"] > 0.95 and found["test/mean_iou"] > 0.5
    assert found["test/class_accuracy"] > 0.5 and found["test/strict_accuracy"] > 0.4
