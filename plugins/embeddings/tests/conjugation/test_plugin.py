"""The plugin as a whole: light to list, sound to resolve, and trained, resumed and asked end to end."""

from __future__ import annotations

import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import torch

import dlkit
from dlkit.catalog import Catalog
from dlkit.config import Layer, resolve
from dlkit.config_file import preset_layer, presets, read_toml
from dlkit.data.text.vectors import read_vectors
from dlkit.engine import loop
from dlkit.events import Event

TASK = "conjugation"


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog.load_everything()


def test_listing_imports_no_torch() -> None:
    code = (
        "import sys; import dlkit_embeddings.conjugation.plugin as p; assert 'pydantic' not in sys.modules;"
        "import dlkit_embeddings.conjugation.task, dlkit_embeddings.conjugation.options;"
        "heavy = {'torch', 'sklearn', 'pydoc_data.topics'} & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize("dataset", ["python-docs", "gutenberg", "files"])
@pytest.mark.parametrize("model", ["mlp", "attention", "rnn"])
def test_defaults_resolve_for_every_pair(dataset: str, model: str, catalog: Catalog) -> None:
    options = {"name": dataset, "path": "text"} if dataset == "files" else {"name": dataset}
    resolved = resolve(catalog, TASK, [Layer("flag", {"dataset": options, "model": {"name": model}})])
    assert resolved.specs["trainer"].name == "supervised" and resolved.specs["inference"].name == "conjugator"
    assert resolved.engine.batch_size == (256 if dataset == "gutenberg" else 64)


def test_every_preset_resolves(catalog: Catalog) -> None:
    own = {entry.name for entry in (files("dlkit_embeddings.conjugation") / "presets").iterdir()}
    mine = [preset for preset in presets(catalog, TASK) if preset.file in own]
    assert len(mine) == len(own) == 4
    for preset in mine:
        resolved = resolve(catalog, TASK, [preset_layer(catalog, TASK, preset.name, preset.components())])
        assert resolved.specs["model"].name == preset.components()["model"] and preset.summary


@pytest.mark.parametrize(("given", "stored"), [("auto", "auto"), ("none", "none"), ("a@best", "a@best")])
def test_runs_are_named_as_given(given: str, stored: str, catalog: Catalog) -> None:
    resolved = resolve(catalog, TASK, [Layer("flag", {"dataset": {"embeddings": given}})])
    assert resolved.sections["dataset"].embeddings == stored  # type: ignore[attr-defined]


def test_files_are_named_wholly(catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plain@home").touch()
    for given in ("vectors.txt", "there/vectors", "plain@home"):
        resolved = resolve(catalog, TASK, [Layer("flag", {"dataset": {"embeddings": given}})])
        assert resolved.sections["dataset"].embeddings == str(tmp_path / given)  # type: ignore[attr-defined]


def arguments(tmp_path: Path, text: str, **more: Any) -> dict[str, Any]:
    (tmp_path / "text.txt").write_text(text)
    dataset = {"name": "files", "path": str(tmp_path / "text.txt"), "window": 4, **more.pop("dataset", {})}
    return {
        "dataset": dataset,
        "batch_size": 16,
        "device": "cpu",
        "workspace": tmp_path / "workspace",
        "trainer": {"name": "supervised", "optimizer": "sgd", "lr": 0.1},
        **more,
    }


def test_trained_evaluated_and_asked_with_everything_else_gone(tmp_path: Path, text: str, vectors: Path) -> None:
    run = dlkit.train(
        TASK,
        **arguments(tmp_path, text, dataset={"embeddings": str(vectors)}),
        model={"name": "mlp", "hidden": [32], "dropout": 0},
        epochs=15,
        engine={"threads": 1, "sample_every": "end"},
    )
    assert run.state == "completed" and run.metrics["val/accuracy"] > 0.95
    assert {"val/macro_f1", "val/recall/am"} <= set(run.metrics)
    stored = {word: torch.from_numpy(vector) for word, vector in read_vectors(vectors)}
    vectors.unlink()
    assert run.evaluate("test")["test/accuracy"] > 0.9
    (tmp_path / "text.txt").unlink()
    predictor: Any = run.predictor()
    (answer,) = predictor.predict(predictor.read(["Yesterday you ___ tired upstairs!"]))
    assert answer["form"] == "were" and answer["filled"] == "Yesterday you were tired upstairs!"
    weight = predictor.model.words.embedding.weight
    assert all(torch.equal(weight[i], stored[word]) for i, word in enumerate(predictor.info.words) if i > 1)


@pytest.mark.parametrize("model", ["attention", "rnn"])
def test_resumed_in_the_middle_of_an_epoch_is_exact(
    model: str, tmp_path: Path, text: str, vectors: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the vectors gone, which the checkpoint has."""
    monkeypatch.setattr(loop, "FLUSH_SECONDS", 0)
    sizes = {"attention": {"width": 8, "heads": 2}, "rnn": {"units": 8}}[model]
    given = arguments(
        tmp_path,
        text,
        dataset={"embeddings": str(vectors)},
        model={"name": model, "hidden": [8], **sizes},
        steps=30,
        engine={"eval_every": "5 steps", "sample_every": "never", "threads": 1},
    )
    seen: list[int] = []

    def stop(event: Event) -> None:
        seen.append(int(getattr(event, "first", 0)))
        if seen[-1] >= 8:
            raise KeyboardInterrupt

    whole = dlkit.train(TASK, **given)
    with pytest.raises(KeyboardInterrupt):
        dlkit.train(TASK, **given, on_event=stop)
    cut = dlkit.list_runs(tmp_path / "workspace")[0]
    assert cut.state == "stopped" and cut.id != whole.id
    vectors.write_text("1 1\nother 1\n")
    resumed = cut.resume()
    assert resumed.state == "completed" and resumed.history("train/loss") == whole.history("train/loss")
    weights = [run.predictor("last").model.state_dict() for run in (whole, resumed)]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_auto_is_settled_once(tmp_path: Path, text: str) -> None:
    given = arguments(tmp_path, text, steps=1, model={"name": "mlp", "hidden": []})
    run = dlkit.train(TASK, **given)
    assert read_toml(run.folder.config).values["dataset"]["embeddings"] == "none"


@pytest.mark.realdata
def test_books_are_learnt_from_in_a_minute(tmp_path: Path) -> None:
    import os

    root = os.environ.get("DLKIT_TEST_DATA")
    if not root or not (Path(root) / "gutenberg-books").is_dir():
        pytest.skip("DLKIT_TEST_DATA is not set, or lacks gutenberg-books")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "gutenberg-books").symlink_to(Path(root) / "gutenberg-books")
    dataset = {"name": "gutenberg", "embeddings": "none", "vocabulary": 3000}
    engine = {"max_time": 55.0, "threads": 1, "sample_every": "never"}
    run = dlkit.train(TASK, dataset=dataset, epochs=2, engine=engine, workspace=tmp_path)
    assert run.metrics["val/accuracy"] > 0.55  # always "was": 0.25
    assert run.predictor().predict(["I ___ very glad to see you."])[0]["form"] in ("am", "was")
