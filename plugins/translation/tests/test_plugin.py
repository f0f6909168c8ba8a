"""The plugin as a whole: light to list, sound to resolve, trained, evaluated, asked and resumed end to end."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

import dlkit
from dlkit.catalog import Catalog
from dlkit.config import Layer, resolve
from dlkit.data.context import Context
from dlkit_translation.datasets import fra_eng
from dlkit_translation.options import FraEngConfig
from dlkit_translation.splitting import sentence_key
from dlkit_translation.texts import as_texts

TASK = "translation"
COLOURS = {"red": "rouge", "green": "vert", "black": "noir", "yellow": "jaune", "grey": "gris", "pink": "rose"}
NOUNS = {"dog": "chien", "cat": "chat", "horse": "cheval", "hat": "chapeau", "book": "livre", "truck": "camion"}
OWNERS = {"my": "mon", "your": "votre", "our": "notre", "their": "leur", "the": "le"}


def test_listing_imports_no_torch() -> None:
    code = (
        "import sys; import dlkit_translation.plugin as p; assert 'pydantic' not in sys.modules;"
        "import dlkit_translation.task, dlkit_translation.options;"
        "heavy = {'torch', 'sacrebleu', 'sentencepiece', 'PIL'} & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize("dataset", ["grammar", "fra-eng", "files"])
@pytest.mark.parametrize("model", ["recurrent", "transformer"])
def test_defaults_resolve_for_every_pair(dataset: str, model: str) -> None:
    options = {"name": dataset, "path": "pairs.tsv"} if dataset == "files" else {"name": dataset}
    layer = Layer("flag", {"dataset": options, "model": {"name": model}})
    resolved = resolve(Catalog.load_everything(), TASK, [layer])
    assert resolved.specs["loss"].name == "cross-entropy" and resolved.specs["inference"].name == "translator"


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """180 pairs whose word order differs."""
    lines = [
        f"{owner} {colour} {noun}\t{mon} {chien} {rouge}"
        for owner, mon in OWNERS.items()
        for colour, rouge in COLOURS.items()
        for noun, chien in NOUNS.items()
    ]
    path = tmp_path / "pairs.tsv"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def options(corpus: Path, tmp_path: Path, **more: Any) -> dict[str, Any]:
    return {
        "dataset": {
            "name": "files",
            "path": str(corpus),
            "vocabulary": 90,
            "algorithm": "bpe",
            "val_fraction": 0.1,
            "test_fraction": 0.1,
        },
        "model": {"name": "recurrent", "embedding": 32, "width": 64, "dropout": 0.0},
        "trainer": {"name": "supervised", "optimizer": "adamw", "lr": 0.01, "schedule": "constant", "warmup": 0.0},
        "batch_size": 16,
        "engine": {"threads": 1},
        "device": "cpu",
        "workspace": tmp_path / "workspace",
        **more,
    }


def test_trained_evaluated_and_asked(corpus: Path, tmp_path: Path) -> None:
    run = dlkit.train(TASK, **options(corpus, tmp_path, epochs=12))
    assert run.state == "completed" and run.metrics["val/token_accuracy"] > 0.9
    assert {"val/loss", "val/exact", "val/bleu", "val/chrf"} <= set(run.metrics)
    test = run.evaluate("test")
    assert test["test/exact"] >= 0.8 and test["test/chrf"] > 80
    shutil.rmtree(corpus.parent / "workspace" / "data", ignore_errors=True)
    corpus.unlink()
    predictor = run.predictor()
    answers = predictor.predict(predictor.read(["my red dog", "the green hat"]))
    assert [answer["translation"] for answer in answers] == ["mon chien rouge", "le chapeau vert"]


@pytest.mark.parametrize("model", ["transformer", "recurrent"])
def test_a_stopped_run_goes_on_as_if_it_had_not_been(model: str, corpus: Path, tmp_path: Path) -> None:
    """With dropout, so that the generators count too: the final weights are the same bits."""
    small = {"name": model, "width": 16, "dropout": 0.2, **({"heads": 2} if model == "transformer" else {})}
    finals = []
    for stops in (False, True):
        where = tmp_path / f"{model}-{stops}"
        events: list[Any] = []

        def watch(event: Any, events: list[Any] = events) -> None:
            events.append(event)

        made = options(corpus, tmp_path, model=small, workspace=where, on_event=watch)
        run = dlkit.train(TASK, **{**made, "epochs": 1 if stops else 2})
        if stops:
            run = run.resume(epochs=2)
        predictor = run.predictor("last")
        finals.append({name: value.clone() for name, value in predictor.model.state_dict().items()})
    assert finals[0].keys() == finals[1].keys()
    assert all(torch.equal(finals[0][name], finals[1][name]) for name in finals[0])


@pytest.mark.realdata
def test_fra_eng_keeps_its_test_sentences_from_training(real: Context) -> None:
    data = fra_eng.build(FraEngConfig(vocabulary=2000), real)
    assert data.test is not None and len(data.test) == 5000 and len(data.val) == 2500
    path = real.data / "fra-eng" / "fra.txt"
    held_out = {
        sentence_key(text)
        for split in (data.test, data.val)
        for text in as_texts(split.take(torch.arange(len(split)))["original"])
    }
    kept = sum(sentence_key(source) not in held_out for source, _ in dict.fromkeys(fra_eng.read(path)))
    left_out = sum(int(note.split()[0]) for note in data.notes if "training pairs of more" in note)
    assert len(held_out) == 7500 and len(data.train) == kept - left_out


@pytest.mark.realdata
def test_fra_eng_is_learnt(real: Context, tmp_path: Path) -> None:
    (tmp_path / "workspace").mkdir()
    (tmp_path / "workspace" / "data").symlink_to(real.data.resolve())
    run = dlkit.train(
        TASK,
        dataset={"name": "fra-eng", "vocabulary": 2000},
        model={"name": "recurrent", "width": 192, "embedding": 128},
        workspace=tmp_path / "workspace",
        engine={"steps": 300, "eval_every": "end", "max_time": 60},
        device="cpu",
        offline=True,
    )
    assert run.metrics["val/token_accuracy"] > 0.2 and run.metrics["val/chrf"] > 5
