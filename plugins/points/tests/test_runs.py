"""Through the engine: defaults learn, runs resume exactly, and end with what is proved of them."""

from __future__ import annotations

import time
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
from dlkit.events import MetricsLogged, Notice
from dlkit.present.plane import drawn
from dlkit.runs.checkpoints import choose
from dlkit_points.explorer import Explorer


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog.load_everything()


def trained(workspace: Path, **options: Any) -> tuple[dlkit.Run, list[str]]:
    said: list[str] = []
    engine = {"sample_every": "end", "eval_every": "end", **options.pop("engine", {})}

    def listen(event: object) -> None:
        if isinstance(event, Notice):
            said.append(event.text)

    return dlkit.train("points", workspace=workspace, engine=engine, on_event=listen, **options), said


@pytest.mark.parametrize(
    ("dataset", "model", "least", "verdict"),
    [
        ("spiral", "mlp", 0.9, "no line divides these points; this model, whose borders bend, has "),
        ("and", "perceptron", 0.98, "a line divides these points: "),
        ("or", "logistic", 0.95, "a line divides these points"),
        ("xor", "perceptron", 0.0, "no line divides these points: already these cannot be divided: "),
        ("blobs", "softmax", 0.9, "straight lines divide these points"),
    ],
)
def test_defaults_learn_what_can_be_learnt_and_say_what_cannot(
    dataset: str, model: str, least: float, verdict: str, tmp_path: Path
) -> None:
    run, said = trained(tmp_path, dataset=dataset, model=model)
    assert run.metrics["val/accuracy"] >= least
    assert said[-1].startswith(verdict)


def test_products_let_a_single_unit_learn_xor(tmp_path: Path) -> None:
    model = {"name": "logistic", "inputs": ["x", "y", "xy"]}
    run, _ = trained(tmp_path, dataset="xor", model=model, trainer={"lr": 1.0}, engine={"epochs": 100})
    assert run.metrics["val/accuracy"] == 1


@pytest.mark.parametrize(("name", "steps"), [("batch", 400), ("mini-batch", 800), ("stochastic", 2000)])
def test_presets_set_how_much_data_a_step_sees(name: str, steps: int, catalog: Catalog, tmp_path: Path) -> None:
    chosen = {"model": "logistic"}
    layers = [preset_layer(catalog, "points", name, chosen), Layer("flag", {"model": {"name": "logistic"}})]
    job = start(catalog, resolve(catalog, "points", layers), tmp_path, Context(tmp_path / "data", offline=True)).job
    assert job.course.total == steps


def test_a_resumed_run_ends_at_the_same_weights_and_the_same_way(catalog: Catalog, tmp_path: Path) -> None:
    values = {
        "dataset": {"name": "moons"},
        "engine": {"epochs": 10, "sample_every": "never"},
    }
    context = Context(tmp_path / "data", offline=True)

    def begin(name: str) -> Any:
        return start(catalog, resolve(catalog, "points", [Layer("test", values)]), tmp_path, context, name=name)

    whole, cut = begin("whole"), begin("cut")
    for _ in whole.events():
        pass
    events = cut.events()
    for event in events:
        if isinstance(event, MetricsLogged) and event.first + event.count - 1 > 50:
            break
    events.close()
    assert choose(cut.run.path, "last").step < 200
    for _ in resume(catalog, cut.run, context).events():
        pass
    ends = [tensors_of(choose(run.path, "last"), "model.safetensors") for run in (whole.run, cut.run)]
    assert ends[0].keys() == ends[1].keys() and "trace.way" in ends[0]
    for name, tensor in ends[0].items():
        assert torch.equal(tensor.nan_to_num(), ends[1][name].nan_to_num()), name
    assert int(ends[0]["trace.count"]) == 200


def test_a_checkpoint_alone_draws_its_pictures(tmp_path: Path) -> None:
    run, _ = trained(tmp_path, dataset="moons", engine={"epochs": 2})
    made = run.predictor().samples(24, np.random.default_rng(0), None)
    assert [sample.name for sample in made] == ["regions", "units", "surface"]


def test_a_moving_average_leaves_the_way_alone(tmp_path: Path) -> None:
    run, _ = trained(tmp_path, dataset="and", model="logistic", engine={"epochs": 2, "ema": 0.9})
    model = run.predictor().model
    assert int(model.trace.count) == len(model.trace.path()) == 40  # type: ignore[union-attr,operator,arg-type]


@pytest.mark.slow
def test_a_picture_is_computed_and_drawn_in_a_blink(tmp_path: Path) -> None:
    """160×50 cells of the default model; the best of several, since others compute here too."""
    run, _ = trained(tmp_path, engine={"epochs": 1})
    explorer = run.predictor()
    assert isinstance(explorer, Explorer)
    taken = []
    for _ in range(20):
        began = time.perf_counter()
        lines = drawn(explorer._regions(explorer._training_marks()), 168, 54)
        taken.append(time.perf_counter() - began)
    assert len(lines) > 50 and min(taken) < 0.03
