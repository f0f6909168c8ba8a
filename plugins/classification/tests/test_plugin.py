"""The plugin as a whole: light to list, sound to resolve, and trained, evaluated and asked end to end."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import dlkit
from dlkit.catalog import Catalog
from dlkit.cli.main import main
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


def test_ink_on_transparent_paper_is_read_as_on_white_and_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, level in (("dark", 0), ("light", 255)):
        (tmp_path / "images" / name).mkdir(parents=True)
        for i in range(20):
            Image.new("L", (8, 8), abs(level - i)).save(tmp_path / "images" / name / f"{i}.png")
    run = dlkit.train(
        TASK,
        dataset={"name": "files", "path": str(tmp_path / "images"), "size": 8, "colour": False},
        model={"name": "mlp", "hidden": []},
        epochs=5,
        batch_size=8,
        device="cpu",
        workspace=tmp_path / "workspace",
    )
    Image.new("LA", (8, 8), (0, 0)).save(tmp_path / "paper.png")
    Image.fromarray(np.full((8, 8), 250, np.uint16)).save(tmp_path / "deep.png")
    words = [str(tmp_path / f"{name}.png") for name in ("paper", "deep")]
    assert main(["predict", run.id, *words, "--json", "--workspace", str(tmp_path / "workspace")]) == 0
    told = capsys.readouterr()
    found = json.loads(told.out)
    assert [answer["class"] for answer in found["predictions"]] == ["light", "light"]
    assert "1 image has transparent pixels (first: " in found["notes"][0] and "--inference.background" in told.err
    assert "1 image of 16-bit values, 250 … 250 (first: " in found["notes"][1]
    schema = json.loads((files("dlkit") / "schemas" / "predict.json").read_text())
    assert not set(found) - set(schema["properties"])
    black = ["--inference.background", "black", "--inference.value-range", "type"]
    assert main(["predict", run.id, *words, "--json", *black, "--workspace", str(tmp_path / "workspace")]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [answer["class"] for answer in found["predictions"]] == ["dark", "dark"]
