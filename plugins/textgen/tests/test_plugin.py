"""The plugin as a whole: light to list, sound to resolve, and trained, evaluated and asked end to end."""

from __future__ import annotations

import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

import dlkit
from dlkit.catalog import Catalog
from dlkit.config import Layer, resolve
from dlkit.config_file import preset_layer, presets

TASK = "textgen"


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog.load_everything()


def test_listing_imports_no_torch() -> None:
    code = (
        "import sys; import dlkit_textgen.plugin as p; assert 'pydantic' not in sys.modules;"
        "import dlkit_textgen.task, dlkit_textgen.options;"
        "heavy = {'torch', 'sentencepiece', 'pydoc_data.topics'} & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize("dataset", ["python-docs", "tinyshakespeare", "files"])
@pytest.mark.parametrize("model", ["transformer", "lstm", "gru"])
def test_defaults_resolve_for_every_pair(dataset: str, model: str, catalog: Catalog) -> None:
    options = {"name": dataset, "path": "text"} if dataset == "files" else {"name": dataset}
    resolved = resolve(catalog, TASK, [Layer("flag", {"dataset": options, "model": {"name": model}})])
    assert resolved.specs["trainer"].name == "language" and resolved.specs["inference"].name == "writer"
    streams = "windows" if model == "transformer" else "streams"
    assert resolved.sections["dataset"].reading == streams  # type: ignore[attr-defined]


def test_every_preset_resolves(catalog: Catalog) -> None:
    own = {entry.name for entry in (files("dlkit_textgen") / "presets").iterdir()}
    mine = [preset for preset in presets(catalog, TASK) if preset.file in own]
    assert len(mine) == len(own) > 0
    for preset in mine:
        resolved = resolve(catalog, TASK, [preset_layer(catalog, TASK, preset.name, preset.components())])
        assert {part: resolved.specs[part].name for part in preset.components()} == preset.components()
        assert preset.summary


@pytest.mark.parametrize("tokens", ["characters", "words"])
def test_trained_evaluated_and_asked(tokens: str, tmp_path: Path, rhyme: str) -> None:
    path = tmp_path / "rhymes.txt"
    path.write_text(rhyme * 60)
    run = dlkit.train(
        TASK,
        dataset={"name": "files", "path": str(path), "context": 32, "tokens": tokens},
        model={"name": "transformer", "layers": 2, "width": 32, "heads": 2},
        trainer={"name": "language", "lr": 0.03, "aux_lr": 0.02},
        steps=80,
        batch_size=8,
        device="cpu",
        engine={"threads": 1, "sample_every": "end"},
        inference={"name": "writer", "sample_tokens": 10, "temperature": 0},
        workspace=tmp_path / "workspace",
    )
    assert run.state == "completed" and run.metrics["val/loss"] < 0.3
    assert {"val/perplexity", "val/bits_per_character"} <= set(run.metrics)
    assert run.history("tokens_per_second")[1]
    assert run.evaluate("test")["test/loss"] < 0.3
    path.unlink()
    predictor = run.predictor()
    (answer,) = predictor.predict(predictor.read(["The cat: where is the"]))
    assert answer["continuation"].startswith(" rat?\nThe rat: not on the mat!")
    assert answer["text"] == "".join(predictor.stream("The cat: where is the"))


@pytest.mark.realdata
def test_half_a_minute_of_shakespeare(tmp_path: Path) -> None:
    import os

    root = os.environ.get("DLKIT_TEST_DATA")
    if not root or not (Path(root) / "tinyshakespeare").is_dir():
        pytest.skip("DLKIT_TEST_DATA is not set, or lacks tinyshakespeare")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "tinyshakespeare").symlink_to(Path(root) / "tinyshakespeare")
    run = dlkit.train(TASK, dataset="tinyshakespeare", epochs=1, engine={"max_time": 55.0}, workspace=tmp_path)
    assert run.metrics["val/loss"] < 2.0
    text = run.predictor().predict(["ROMEO:"])[0]["text"]
    assert len(text) > 200 and "\n" in text
