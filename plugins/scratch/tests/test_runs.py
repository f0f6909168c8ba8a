"""Through the engine: the same command, checkpoints and resume as any other model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import dlkit
from dlkit.catalog import Catalog
from dlkit.config import Layer, resolve
from dlkit.config_file import preset_layer
from dlkit.data.context import Context
from dlkit.engine.checkpoint import tensors_of
from dlkit.engine.start import resume, start
from dlkit.errors import UsageError
from dlkit.events import MetricsLogged
from dlkit.nn.trace import Trace
from dlkit.runs.checkpoints import choose


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog.load_everything()


@pytest.mark.parametrize(
    ("task", "model", "metric", "line"),
    [
        ("regression", "scratch-mlp", "val/r2", 0.4),
        ("regression", "scratch-linear", "val/r2", 0.4),
        ("classification", "scratch-mlp", "val/accuracy", 0.95),
        ("classification", "softmax", "val/accuracy", 0.93),
        ("classification", "logistic", "val/accuracy", 0.93),
        ("classification", "perceptron", "val/accuracy", 0.9),
        ("points", "scratch-mlp", "val/accuracy", 0.9),
    ],
)
def test_defaults_learn_the_embedded_data(task: str, model: str, metric: str, line: float, tmp_path: Path) -> None:
    run = dlkit.train(task, model=model, workspace=tmp_path, engine={"sample_every": "end"})
    assert run.metrics[metric] >= line
    if task != "points":  # which draws the whole plane, whatever there is of data
        predictor = run.predictor()
        assert len(predictor.samples(4, None, None)) == 0  # type: ignore[arg-type]  # nothing to draw from


def test_models_of_points_say_what_is_shown_of_them(tmp_path: Path) -> None:
    """The task's own samples: regions, units, the surface with the way of every step on it."""
    engine = {"epochs": 1, "sample_every": "end"}
    for model, names in (
        ("scratch-mlp", ["regions", "units", "surface"]),
        ("scratch-perceptron", ["regions", "surface", "step"]),
    ):
        run = dlkit.train("points", dataset="and", model=model, workspace=tmp_path, engine=engine)
        predictor = run.predictor()
        made = predictor.samples(4, np.random.default_rng(0), None)
        assert [sample.name for sample in made] == names
        trace = predictor.model.trace
        assert isinstance(trace, Trace)
        assert len(trace.path()) == int(trace.count) == {"scratch-mlp": 20, "scratch-perceptron": 200}[model]


@pytest.mark.parametrize("name", ["batch", "stochastic"])
def test_presets_set_how_much_data_a_step_sees(name: str, catalog: Catalog, tmp_path: Path) -> None:
    chosen = {"model": "scratch-mlp"}
    layers = [preset_layer(catalog, "regression", name, chosen), Layer("flag", {"model": {"name": "scratch-mlp"}})]
    resolved = resolve(catalog, "regression", [*layers, Layer("flag", {"engine": {"epochs": 2}})])
    job = start(catalog, resolved, tmp_path, Context(tmp_path / "data", offline=True)).job
    rows = len(job.data.train)
    assert job.course.total == {"batch": 2, "stochastic": 2 * rows}[name]


@pytest.mark.parametrize(("model", "trainer"), [("scratch-logistic", "scratch"), ("logistic", "supervised")])
@pytest.mark.parametrize("name", ["batch", "stochastic"])
def test_a_preset_of_one_name_is_the_one_of_the_model_s_trainer(
    name: str, model: str, trainer: str, catalog: Catalog
) -> None:
    assert preset_layer(catalog, "points", name, {"model": model}).values["trainer"]["name"] == trainer


@pytest.mark.parametrize(
    "engine", [{"ema": 0.9}, {"precision": "bf16"}, {"compile": True}], ids=lambda engine: next(iter(engine))
)
def test_options_that_it_does_not_honour_are_refused(engine: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="accumulate, clip"):
        dlkit.train("regression", model="scratch-mlp", workspace=tmp_path, engine=engine)
    assert not (tmp_path / "runs").exists()


def test_only_what_fits_together_combines(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"trainers that fit model 'scratch-mlp' .*: scratch"):
        dlkit.train("regression", model="scratch-mlp", trainer="supervised", workspace=tmp_path)
    with pytest.raises(UsageError, match="scratch-cross-entropy"):
        dlkit.train("classification", model="softmax", loss="cross-entropy", workspace=tmp_path)


def test_a_resumed_run_ends_at_the_same_weights(catalog: Catalog, tmp_path: Path) -> None:
    """Left in the middle of an epoch, with dropout, momentum and accumulation on."""
    values = {
        "model": {"name": "scratch-mlp", "dropout": 0.5},
        "engine": {"epochs": 30, "batch_size": 8, "accumulate": 2, "sample_every": "never", "eval_every": "3 steps"},
    }
    context = Context(tmp_path / "data", offline=True)

    def begin(name: str) -> Any:
        return start(catalog, resolve(catalog, "regression", [Layer("test", values)]), tmp_path, context, name=name)

    whole = begin("whole")
    for _ in whole.events():
        pass
    cut = begin("cut")
    events = cut.events()
    for event in events:
        if isinstance(event, MetricsLogged) and event.first + event.count - 1 > 100:
            break
    events.close()  # type: ignore[attr-defined]
    stopped_at = choose(cut.run.path, "last").step
    assert stopped_at < 570
    for _ in resume(catalog, cut.run, context).events():
        pass
    ends = [tensors_of(choose(run.path, "last"), "model.safetensors") for run in (whole.run, cut.run)]
    assert ends[0].keys() == ends[1].keys()
    assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])
