"""Every task and model that ships leaves as ONNX and is proved equal, or says a reason that is true."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from at_length import at_length
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
REASONS: Mapping[str, str] = {"style": "the model is one picture"}
"""By task, what a model that cannot leave says of itself."""
MANY: Mapping[str, Mapping[str, object]] = {
    "classification": {"name": "digits"},
    "regression": {"name": "diabetes"},
    "points": {"name": "xor"},
    "translation": {"name": "grammar", "pairs": 6000, "vocabulary": 300, "val_fraction": 0.2},
    "textgen": {"name": "python-docs", "context": 16, "val_fraction": 0.3},
    "embeddings": {"name": "python-docs", "vocabulary": 800, "evaluated": 64},
    "conjugation": {"name": "python-docs", "vocabulary": 5000, "least": 1, "embeddings": "none", "val_fraction": 0.3},
}
"""By task, another data set than the small one, with more to ask about."""
LEAST: Mapping[str, int] = {
    "kernels": 1, "regression": 60, "classification": 250, "autoencoder": 140, "points": 200, "gan": 17,
    "localization": 8, "detection": 8, "conjugation": 140,
}  # fmt: skip
"""By task, what the small data set's examples are, or all that one without the network has, where that is fewer."""
MODELS = [(task, model) for task, model in models(CATALOG) if task not in REASONS]


def exported(
    task: str,
    model: str,
    tmp_path: Path,
    kind: str = "onnx",
    examples: int = 8,
    dataset: Mapping[str, object] | None = None,
):
    engine = {"steps": 0} if (task, model) in UNTRAINED else {"steps": 2}
    settings = small(task, model, **engine)
    resolved = resolve(CATALOG, task, [Layer("test", {**settings, "dataset": dataset or settings["dataset"]})])
    context = make_context(CATALOG, tmp_path)
    run = finish(start(CATALOG, resolved, tmp_path, context))
    loaded = load_predictor(CATALOG, run, "last")
    wanted = Wanted(split=proving_split(CATALOG, run, loaded, context, "val"), examples=examples, seconds=0.02)
    return export(CATALOG, run, loaded, kind, tmp_path / "out", wanted)


FIRST = dict(reversed(MODELS))
"""A model of each task."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "model"), [pytest.param(*pair, marks=[] if FIRST[pair[0]] == pair[1] else [at_length]) for pair in MODELS]
)
def test_a_model_leaves_and_answers_the_same(task, model, tmp_path):
    made = exported(task, model, tmp_path)
    assert made.folder is not None, made.proof.text()
    assert [row.passed for row in made.proof.rows if row.what.startswith("raw input")] == [True], made.proof.text()


@pytest.mark.slow
@at_length
@pytest.mark.parametrize("task", sorted({task for task, _ in MODELS}))
def test_five_hundred_real_inputs_are_answered_the_same(task, tmp_path):
    model = FIRST[task]
    made = exported(task, model, tmp_path, examples=500, dataset=MANY.get(task))
    (row,) = [row for row in made.proof.rows if row.what.startswith("raw input")]
    equal, _, asked, *_ = row.found.split()
    assert row.passed and equal == asked, made.proof.text()
    assert int(asked) >= LEAST.get(task, 500), row.found


@pytest.mark.slow
@pytest.mark.parametrize("task", REASONS)
def test_what_cannot_leave_says_why_and_its_weights_can(task, tmp_path):
    model = next(model for one, model in models(CATALOG) if one == task)
    with pytest.raises(UsageError, match=f"{REASONS[task]}.*safetensors"):
        exported(task, model, tmp_path / "onnx")
    assert exported(task, model, tmp_path / "weights", "safetensors").folder is not None
