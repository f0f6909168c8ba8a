"""The plugin as a whole: light to list, sound to resolve, and trained, resumed, evaluated and asked end to end."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest
from PIL import Image
from safetensors.torch import save_file

import dlkit
from dlkit.catalog import Catalog
from dlkit.cli.main import main
from dlkit.config import Layer, resolve
from dlkit.config_file import preset_layer, presets

TASK = "detection"
GRIDS = ["grid-lenet", "grid-relu", "grid-wide"]
SMALL = {"name": "pyramid", "widths": [8, 16, 32], "blocks": [0, 0, 0], "strides": [4], "neck": 16, "head": 1}


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog.load_everything()


def test_listing_imports_no_torch() -> None:
    code = (
        "import sys; import dlkit_detection.plugin as p; assert 'pydantic' not in sys.modules;"
        "import dlkit_detection.task, dlkit_detection.options;"
        "heavy = {'torch', 'torchmetrics', 'sklearn', 'PIL'} & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize("dataset", ["digits-canvas", "files"])
@pytest.mark.parametrize("model", [*GRIDS, "pyramid"])
def test_defaults_resolve_for_every_pair(dataset: str, model: str, catalog: Catalog) -> None:
    options = {"name": dataset, "path": "photos"} if dataset == "files" else {"name": dataset}
    resolved = resolve(catalog, TASK, [Layer("flag", {"dataset": options, "model": {"name": model}})])
    assert resolved.specs["loss"].name == ("grid" if model in GRIDS else "focal")
    assert resolved.specs["inference"].name == "detector"


def test_every_preset_resolves(catalog: Catalog) -> None:
    own = {entry.name for entry in (files("dlkit_detection") / "presets").iterdir() if entry.name.endswith(".toml")}
    mine = [preset for preset in presets(catalog, TASK) if preset.file in own]
    assert len(mine) == len(own) > 0
    for preset in mine:
        layers = [preset_layer(catalog, TASK, preset.name, preset.components())]
        if preset.components()["dataset"] == "files":
            layers.append(Layer("flag", {"dataset": {"path": "photos"}}))
        resolved = resolve(catalog, TASK, layers)
        assert {part: resolved.specs[part].name for part in preset.components()} == preset.components()
        assert preset.summary


@pytest.mark.parametrize("loss", ["grid", "focal"])
@pytest.mark.parametrize("model", ["grid-relu", "pyramid"])
def test_any_model_trains_with_any_loss_on_canvases(loss: str, model: str, tmp_path: Path) -> None:
    run = dlkit.train(
        TASK,
        dataset={"name": "digits-canvas", "source": "digits", "train": 64, "val": 16, "test": 16, "classes": 2},
        model=SMALL if model == "pyramid" else {"name": model, "channels": [4, 8], "hidden": [16]},
        loss={"name": loss},
        epochs=2,
        batch_size=16,
        device="cpu",
        workspace=tmp_path,
    )
    assert run.state == "completed"
    assert {"val/map", "val/map50", "val/map/0", "val/map50/1", "val/accuracy", "val/iou", "val/loss"} <= set(
        run.metrics
    )
    _, losses = run.history("train/loss")
    assert sum(losses[-4:]) < sum(losses[:4])


def test_trained_evaluated_and_asked(
    scenes: Callable[[int], Path], save_image: Callable[..., None], tmp_path: Path
) -> None:
    """Coloured rectangles are learned in seconds; what was learned answers with the data gone."""
    root = scenes(80)
    run = dlkit.train(
        TASK,
        dataset={"name": "files", "path": str(root), "height": 40, "width": 50},
        model=SMALL,
        loss={"name": "focal", "box_weight": 4.0},
        trainer={"name": "supervised", "lr": 0.01},
        epochs=40,
        batch_size=16,
        device="cpu",
        workspace=tmp_path / "workspace",
        engine={"eval_every": "10 epochs"},
    )
    assert run.metrics["val/map50"] > 0.8
    assert run.evaluate("test")["test/map50"] > 0.7
    shutil.rmtree(root)
    save_image(tmp_path / "ask.png", 100, 80, [("red", 10.0, 20.0, 36.0, 44.0)])
    predictor = run.predictor()
    (answer,) = predictor.predict(predictor.read([str(tmp_path / "ask.png")]))
    best = answer["objects"][0]
    assert best["class"] == "red" and best["box"] == pytest.approx([10, 20, 36, 44], abs=6)


def test_a_run_goes_on_exactly_and_without_its_file_of_weights(scenes: Callable[[int], Path], tmp_path: Path) -> None:
    """Stopped after 3 of 6 steps and resumed, a frozen backbone's run ends where an uninterrupted one does."""
    import torchvision

    save_file(torchvision.models.get_model("squeezenet1_1", weights=None).state_dict(), tmp_path / "w.safetensors")
    backbone = {"name": "pyramid", "backbone": "squeezenet1_1", "strides": [8], "neck": 8, "head": 1}
    root = scenes(12)

    def train(workspace: str, steps: int) -> dlkit.Run:
        return dlkit.train(
            TASK,
            dataset={"name": "files", "path": str(root), "height": 40, "width": 50, "zoom": (0.8, 1.2), "shift": 0.1},
            model={**backbone, "weights": str(tmp_path / "w.safetensors"), "freeze": True},
            trainer={"name": "supervised", "schedule": "constant", "warmup": 0.0},
            steps=steps,
            batch_size=4,
            device="cpu",
            engine={"eval_every": "1 epoch"},
            workspace=tmp_path / workspace,
        )

    whole, half = train("whole", 6), train("half", 3)
    (tmp_path / "w.safetensors").unlink()
    resumed = half.resume(steps=6)
    assert resumed.history("train/loss") == whole.history("train/loss")
    for name in (
        "val/loss",
        "val/map",
    ):  # the half has an evaluation more, at its end: perhaps its best
        values = dict(zip(*resumed.history(name), strict=True))
        assert {step: values[step] for step in (2, 4, 6)} == dict(zip(*whole.history(name), strict=True))
    assert resumed.evaluate("test", checkpoint="last") == whole.evaluate("test", checkpoint="last")
    assert resumed.predictor().predict([tmp_path / "images" / "000.png"])


def test_the_command_draws_and_names_what_is_wrong(
    scenes: Callable[[int], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    root = scenes(10)
    small = [f"--model.{key.replace('_', '-')}={value}" for key, value in SMALL.items() if key != "name"]
    words = ["train", TASK, "--dataset", "files", "--dataset.path", str(root), "--steps", "2", "--device", "cpu"]
    assert main([*words, *small]) == 0
    assert main(["predict", "last", str(root), "-o", "out"]) == 0
    pictures = sorted((tmp_path / "out").glob("*.png"))
    assert len(pictures) == 10
    with Image.open(pictures[0]) as picture:
        assert picture.size == (50, 40)
    assert "wrote 10 pictures into out" in capsys.readouterr().err
    (root / "bad.xml").write_text("<annotation>")
    assert main([*words, *small]) == 3
    assert "bad.xml: not readable as XML" in capsys.readouterr().err
    assert (
        main(["data", "show", TASK, "--dataset", "files", "--dataset.path", str(root), "--dataset.skip-unusable"]) == 0
    )
    assert "bad.xml" in capsys.readouterr().out


def test_a_preset_of_several_models_is_the_tasks_own_unless_another_is_chosen(catalog: Catalog) -> None:
    assert preset_layer(catalog, TASK, "course", {}).values["model"]["name"] == "pyramid"
    assert preset_layer(catalog, TASK, "course", {"model": "grid-relu"}).values["model"]["name"] == "grid-relu"
