"""Every task and model that ships leaves as ONNX and is proved equal, or says a reason that is true."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from dlkit.catalog import Catalog
from dlkit.config import Layer, resolve
from dlkit.data.context import make_context
from dlkit.engine.start import start
from dlkit.errors import UsageError
from dlkit.use.export.formats import Wanted, export
from dlkit.use.export.split import proving_split
from dlkit.use.load import load_predictor
from small import UNTRAINED, models, small
from toy import finish

CATALOG = Catalog.load_everything()
TOGETHER = ("embeddings", "conjugation", "textgen", "translation")
"""Sequences: a graph for each part, and a driver."""
REASONS: Mapping[str, str] = {"style": "the model is one picture"}
"""By task, what a model that cannot leave says of itself."""
MODELS = [(task, model) for task, model in models(CATALOG) if task not in TOGETHER and task not in REASONS]


def exported(task: str, model: str, tmp_path: Path, kind: str = "onnx", examples: int = 8):
    engine = {"steps": 0} if (task, model) in UNTRAINED else {"steps": 2}
    resolved = resolve(CATALOG, task, [Layer("test", small(task, model, **engine))])
    context = make_context(CATALOG, tmp_path)
    run = finish(start(CATALOG, resolved, tmp_path, context))
    loaded = load_predictor(CATALOG, run, "last")
    wanted = Wanted(split=proving_split(CATALOG, run, loaded, context, "val"), examples=examples)
    return export(CATALOG, run, loaded, kind, tmp_path / "out", wanted)


@pytest.mark.slow
@pytest.mark.parametrize(("task", "model"), MODELS)
def test_a_model_leaves_and_answers_the_same(task, model, tmp_path):
    made = exported(task, model, tmp_path)
    assert made.folder is not None, made.proof.text()
    assert [row.passed for row in made.proof.rows if row.what.startswith("raw input")] == [True], made.proof.text()


@pytest.mark.slow
@pytest.mark.parametrize("task", REASONS)
def test_what_cannot_leave_says_why_and_its_weights_can(task, tmp_path):
    model = next(model for one, model in models(CATALOG) if one == task)
    with pytest.raises(UsageError, match=f"{REASONS[task]}.*safetensors"):
        exported(task, model, tmp_path / "onnx")
    assert exported(task, model, tmp_path / "weights", "safetensors").folder is not None
