"""``engine.layers``: what happens inside a network, seen without touching what is trained."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from dlkit.catalog import Catalog
from dlkit.config import Layer, resolve
from dlkit.data.context import make_context
from dlkit.engine import layers, loop
from dlkit.engine.attempt import Attempt
from dlkit.engine.layer_samples import layer_samples
from dlkit.engine.layers import LayerWatch, Seen, Watched, Watching, silent_units, spread
from dlkit.engine.start import start
from dlkit.engine.trainer import Trainer
from dlkit.events import Event, Notice, Sampled
from dlkit.present.distribution import HEIGHT, WIDTH, histogram
from dlkit.runs.contents import load_sample
from dlkit.runs.folder import RunFolder
from dlkit.runs.log import read_events
from dlkit.samples import Curve, Images, Table, checked
from outcome import close_at, outcome, values_of
from small import UNTRAINED, models, small
from toy import finish, toy_attempt, toy_resume, toy_run

CATALOG = Catalog.load_everything()
QUICK = [("classification", "cnn"), ("gan", "dcgan"), ("textgen", "lstm"), ("classification", "scratch-mlp")]
"""Batch norm and ReLU; two networks in turn; a carried state; gradients by hand."""


def trained(task: str, model: str, workspace: Path, **engine: Any) -> RunFolder:
    layer = small(task, model, steps=6, **{"sample_every": "3 steps", **engine})
    resolved = resolve(CATALOG, task, [Layer("test", layer)])
    return finish(start(CATALOG, resolved, workspace, make_context(CATALOG, workspace)))


def sampled(run: RunFolder) -> list[Sampled]:
    return [event for event in read_events(run.events) if isinstance(event, Sampled)]


def table(run: RunFolder, place: int = -1) -> dict[str, dict[str, Any]]:
    """The table of layers at one sampling time, by layer and column."""
    (file,) = [ref.file for ref in sampled(run)[place].samples if ref.name == "layers"]
    found = load_sample(run, file)
    assert isinstance(found, Table)
    return {str(row[0]): dict(zip(found.headers, row, strict=True)) for row in found.rows}


def said(run: RunFolder) -> list[str]:
    """Notices of samples that could not be made."""
    events: list[Event] = read_events(run.events)
    return [event.text for event in events if isinstance(event, Notice) and "sample" in event.text]


def check_watched(task: str, model: str, folder: Path) -> RunFolder:
    plain = trained(task, model, folder)
    watched = trained(task, model, folder, layers=True)
    assert outcome(watched) == outcome(plain)
    assert values_of(watched).keys() == values_of(plain).keys()
    assert not said(watched)
    for before, after in zip(sampled(plain), sampled(watched), strict=True):
        own, names = ({ref.name for ref in event.samples} for event in (before, after))
        assert own | {"layers"} <= names, "beside those of the predictor"
    for row in table(watched).values():
        assert row["update"] != "" or row["kind"] in dir(nn), row
    return watched


@pytest.mark.parametrize(("task", "model"), QUICK)
def test_watching_changes_not_a_bit(task: str, model: str, tmp_path: Path) -> None:
    check_watched(task, model, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(("task", "model"), [pair for pair in models(CATALOG) if pair not in (*QUICK, *UNTRAINED)])
def test_watching_any_model_changes_not_a_bit(task: str, model: str, tmp_path: Path) -> None:
    check_watched(task, model, tmp_path)


def test_it_resumes_exactly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "FLUSH_SECONDS", 0)
    whole = toy_run(tmp_path, layers=True, sample_every="4 steps")
    cut = close_at(toy_attempt(tmp_path, layers=True, sample_every="4 steps"), 9)
    again = finish(toy_resume(cut))
    assert outcome(again) == outcome(whole) == outcome(toy_run(tmp_path))
    assert table(again) == table(whole)
    assert [event.step for event in sampled(again)][-3:] == [12, 16, 18]


def test_it_may_be_switched_on_by_a_resume(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "FLUSH_SECONDS", 0)
    again = finish(toy_resume(close_at(toy_attempt(tmp_path), 7), layers=True))
    assert outcome(again) == outcome(toy_run(tmp_path))
    assert table(again)["linear"]["kind"] == "Linear"


def test_without_it_the_loop_takes_the_trainers_own_steps(tmp_path: Path) -> None:
    attempt = toy_attempt(tmp_path)
    plain = loop.Loop(attempt.job, attempt.run)
    assert plain._step_of == attempt.job.trainer.step
    finish(attempt)
    assert not [ref for event in sampled(attempt.run) for ref in event.samples if ref.name.startswith("layers")]


class Twin(Trainer):
    """A trainer of a module given, by SGD of rate 0.5."""

    def __init__(self, module: nn.Module, made: Attempt) -> None:
        from dataclasses import replace

        super().__init__(replace(made.job.trainer.setup, model=module, loss=lambda y, b: {"loss": y.square().sum()}))
        self._inputs = ("x",)

    def optimizers(self) -> list[torch.optim.Optimizer]:
        return [torch.optim.SGD(self.parameters, 0.5)]


def seen_in(module: nn.Module, x: Tensor, folder: Path) -> dict[str, Seen]:
    trainer = Twin(module, toy_attempt(folder))
    trainer._forward = lambda batch: module(batch["x"])
    with Watching(trainer) as watching:
        trainer.step([{"x": x}], 0)
    hooks = [m for m in module.modules() if m._forward_hooks]
    assert not hooks and not any(o._optimizer_step_pre_hooks for o in trainer.optimizers_made)
    return watching.seen


def test_units_that_nothing_moves_are_dead(tmp_path: Path) -> None:
    module = nn.Sequential(nn.Linear(3, 4), nn.ReLU(inplace=True), nn.Linear(4, 2))
    with torch.no_grad():
        cast(Tensor, module[0].bias)[1] = -1000.0
        cast(Tensor, module[0].bias)[[0, 2, 3]] = 1000.0
    found = seen_in(module, torch.randn(16, 3), tmp_path)
    assert [float(cast(Tensor, found[name].dead)) for name in "012"] == [0.25, 0.25, 0.0]
    before = cast(layers.Spread, found["0"].activation)
    assert float(before.zeros) == 0, "seen before the ReLU wrote over it"


def test_what_is_frozen_has_neither_gradient_nor_update(tmp_path: Path) -> None:
    module = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    module[0].requires_grad_(False)
    found = seen_in(module, torch.randn(8, 3), tmp_path)
    assert found["0"].activation is not None
    assert found["0"].update is None and found["0"].gradient is None and found["2"].update is not None


def test_updates_are_measured_by_the_weights(tmp_path: Path) -> None:
    module = nn.Linear(3, 2)
    weight = module.weight.detach().clone()
    seen = seen_in(module, torch.randn(8, 3), tmp_path)["Linear"]
    expected = (module.weight.detach() - weight).norm() / weight.norm()
    assert float(cast(Tensor, seen.update)) == pytest.approx(float(expected), rel=1e-6)
    gradient = (weight - module.weight.detach()) / 0.5
    assert float(cast(layers.Spread, seen.gradient).std) == pytest.approx(float(gradient.std(correction=0)), rel=1e-4)


def test_what_is_looked_up_is_not_dead_for_being_absent(tmp_path: Path) -> None:
    module = nn.Sequential(nn.Embedding(50, 4), nn.Flatten(), nn.Linear(8, 2))
    found = seen_in(module, torch.randint(0, 10, (6, 2)), tmp_path)
    assert found["0"].dead is None
    assert found["0"].gradient is not None


def test_a_transposed_convolution_has_its_units_second(tmp_path: Path) -> None:
    module = nn.Sequential(nn.ConvTranspose2d(2, 5, 2), nn.ReLU())
    with torch.no_grad():
        cast(Tensor, module[0].bias)[:] = torch.tensor([-1e3, 1e3, -1e3, 1e3, 1e3])
    found = seen_in(module, torch.randn(4, 2, 6, 6), tmp_path)
    assert float(cast(Tensor, found["0"].dead)) == pytest.approx(0.4)
    assert float(cast(Tensor, found["1"].dead)) == pytest.approx(0.4), "channels, not columns"


def test_only_the_steps_that_are_due_are_watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entered: list[int] = []
    original = LayerWatch.step

    def counting(self: LayerWatch, batches: Any, step: int) -> Any:
        before = self.watched
        values = original(self, batches, step)
        entered.extend([step + 1] if self.watched is not before else [])
        return values

    monkeypatch.setattr(LayerWatch, "step", counting)
    toy_run(tmp_path, layers=True, sample_every="5 steps")
    assert entered == [1, 5, 10, 15, 18]


def test_a_compiled_model_gets_no_hooks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "compile", lambda module: module)
    run = toy_run(tmp_path, layers=True, compile=True)
    row = table(run)["linear"]
    assert "std" not in row
    assert row["update"] > 0
    (file,) = [ref.file for ref in sampled(run)[-1].samples if ref.name == "layers"]
    assert "engine.compile hides activations" in load_sample(run, file).title


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=40), st.integers(1, 400))
def test_a_spread_is_numpys(values: list[float], times: int) -> None:
    given_ = np.array(values * times, np.float32)
    found = spread(torch.from_numpy(given_))
    scale = float(np.abs(given_).max())
    assert float(found.mean) == pytest.approx(float(given_.astype(np.float64).mean()), rel=1e-4, abs=1e-5 * scale)
    assert float(found.std) == pytest.approx(float(given_.astype(np.float64).std()), rel=1e-4, abs=1e-5 * scale)
    assert float(found.zeros) == pytest.approx(float((given_ == 0).mean()), abs=1e-6)
    assert len(found.some) == min(len(given_), layers.VALUES)
    assert set(found.some.tolist()) <= set(given_.tolist())


@pytest.mark.parametrize("shape", [(64, 128, 64), (4096, 16), (7, 4096 * 3)])
def test_no_part_of_a_tensor_stands_for_all(shape: tuple[int, ...]) -> None:
    """However regular it is."""
    for axis, size in enumerate(shape):
        along = torch.arange(size, dtype=torch.float32).view([-1 if i == axis else 1 for i in range(len(shape))])
        found = spread(along.expand(shape)).some
        assert len(set(found.tolist())) > min(size, layers.VALUES) * 0.5, axis


@given(st.integers(1, 3), st.integers(1, 6))
def test_units_are_channels_of_images_and_features_of_the_rest(rows: int, silent: int) -> None:
    image = torch.ones(rows, 8, 5, 4)
    image[:, :silent] = 0
    assert float(silent_units(image)) == silent / 8
    assert float(silent_units(image.movedim(1, -1)[:, 0])) == silent / 8
    assert float(silent_units(torch.zeros(()))) == 1


def test_what_is_not_finite_is_drawn_as_far_as_it_is(tmp_path: Path) -> None:
    bad = torch.tensor([1.0, float("nan"), float("inf"), -2.0])
    layers_: Mapping[str, Seen] = {
        "a": Seen("Linear", spread(bad), spread(bad), torch.tensor(0.0), torch.tensor(float("nan"))),
        "b": Seen("Linear", spread(torch.full((3,), float("nan"))), spread(torch.zeros(3)), None, torch.tensor(0.5)),
        "c": Seen("ReLU"),
    }
    made = checked(layer_samples(Watched(7, layers_)), "test")
    assert [type(sample) for sample in made] == [Images, Images, Curve, Table]
    rows = cast(Table, made[-1]).rows
    assert [row[-1] for row in rows] == ["", 0.5, ""]


def test_an_unseen_step_makes_no_samples() -> None:
    assert not layer_samples(Watched(1, {}))


@given(st.lists(st.floats(-5, 5), max_size=50))
def test_a_histogram_reaches_the_top(values: list[float]) -> None:
    colour = (1, 2, 3)
    picture = histogram(np.array(values), (-3.0, 3.0), colour, axis=0.5)
    assert picture.shape == (HEIGHT, WIDTH, 3)
    assert (picture[0] == colour).all(1).any() == bool(values)
