"""The plugin as a whole: light to list, sound to resolve, and trained, evaluated and asked end to end."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest
from PIL import Image

import dlkit
from dlkit.catalog import Catalog
from dlkit.config import Layer, resolve
from dlkit.config_file import preset_layer, presets

TASK = "classification"


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog.load_everything()


def test_listing_imports_no_torch() -> None:
    code = (
        "import sys; import dlkit_classification.plugin as p; assert 'pydantic' not in sys.modules;"
        "import dlkit_classification.task, dlkit_classification.options;"
        "heavy = {'torch', 'sklearn', 'PIL'} & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize("dataset", ["digits", "mnist", "cifar10", "files"])
@pytest.mark.parametrize("model", ["mlp", "cnn", "resnet"])
def test_defaults_resolve_for_every_pair(dataset: str, model: str, catalog: Catalog) -> None:
    options = {"name": dataset, "path": "photos"} if dataset == "files" else {"name": dataset}
    resolved = resolve(catalog, TASK, [Layer("flag", {"dataset": options, "model": {"name": model}})])
    assert resolved.specs["loss"].name == "cross-entropy" and resolved.specs["inference"].name == "classifier"


def test_every_preset_resolves(catalog: Catalog) -> None:
    own = {entry.name for entry in (files("dlkit_classification") / "presets").iterdir()}
    mine = [preset for preset in presets(catalog, TASK) if preset.file in own]
    assert len(mine) == len(own)
    for preset in mine:
        layers = [preset_layer(catalog, TASK, preset.name, preset.components())]
        if preset.components().get("dataset") == "files":
            layers.append(Layer("flag", {"dataset": {"path": "photos"}}))
        resolved = resolve(catalog, TASK, layers)
        assert {part: resolved.specs[part].name for part in preset.components()} == preset.components()
        assert preset.summary


def test_trained_evaluated_and_asked(coloured: Callable[..., Path], tmp_path: Path) -> None:
    root = coloured(red=40, green=40, blue=40)
    run = dlkit.train(
        TASK,
        dataset={"name": "files", "path": str(root), "size": 8, "crop": 1},
        model={"name": "mlp", "hidden": [16]},
        trainer={"name": "supervised", "optimizer": "adamw", "lr": 0.01, "schedule": "constant"},
        epochs=8,
        batch_size=16,
        device="cpu",
        workspace=tmp_path / "workspace",
    )
    assert run.state == "completed" and run.metrics["val/accuracy"] == 1
    assert {"val/accuracy/blue", "val/accuracy/green", "val/accuracy/red"} <= set(run.metrics)
    assert run.evaluate("test")["test/accuracy"] == 1
    shutil.rmtree(root)
    Image.new("RGB", (30, 20), (15, 25, 230)).save(tmp_path / "ask.png")
    predictor = run.predictor()
    (answer,) = predictor.predict(predictor.read([str(tmp_path / "ask.png")]))
    assert answer["class"] == "blue" and answer["probability"] > 0.8
