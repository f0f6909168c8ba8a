"""One optimizer step, against the same arithmetic written out."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from dlkit.config import EngineConfig
from dlkit.data.splits import Batch
from dlkit.engine.device import Cpu
from dlkit.engine.options import SupervisedConfig
from dlkit.engine.supervised import SupervisedTrainer, decay_groups
from dlkit.engine.trainer import Setup, Trainer
from dlkit.errors import UsageError
from toy import finish, toy_attempt
from toy_options import ToyInfo, ToyTask

CPU = Cpu()


def squared(outputs: Tensor, batch: Batch) -> Mapping[str, Tensor]:
    return {"loss": nn.functional.mse_loss(outputs, batch["y"])}


def network() -> nn.Module:
    """float64, without dropout or batch statistics: a sum may be split."""
    torch.manual_seed(3)
    layers = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 1), nn.Flatten(0))
    return layers.double()


def make(model: nn.Module, config: dict[str, Any] | None = None, **engine: Any) -> Trainer:
    options = SupervisedConfig(**{"optimizer": "sgd", "lr": 0.1, **(config or {})})
    setup = Setup(model, squared, ToyTask(), ToyInfo(features=3), options, EngineConfig(**engine), CPU, None, 100)
    return SupervisedTrainer(setup)


def batch(size: int, seed: int = 0) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    return {
        "x": torch.randn(size, 3, generator=generator, dtype=torch.float64),
        "y": torch.randn(size, generator=generator, dtype=torch.float64),
    }


def gradient(model: nn.Module, data: Batch) -> list[Tensor]:
    loss = squared(model(data["x"]), data)["loss"]
    return list(torch.autograd.grad(loss, list(model.parameters())))


@given(
    micro=st.integers(1, 5),
    size=st.integers(1, 8),
    optimizer=st.sampled_from(["sgd", "adam", "adamw", "muon"]),
    clip=st.sampled_from([0.0, 0.05]),
)
@settings(max_examples=25, deadline=None)
def test_micro_batches_are_one_large_batch(micro: int, size: int, optimizer: str, clip: float) -> None:
    data = batch(micro * size)
    parts = [{key: column[i * size : (i + 1) * size] for key, column in data.items()} for i in range(micro)]
    whole, parted = network(), network()
    one = make(whole, {"optimizer": optimizer}, clip=clip)
    several = make(parted, {"optimizer": optimizer}, clip=clip, accumulate=micro)
    for step in range(3):
        first, second = one.step([data], step), several.step(parts, step)
        torch.testing.assert_close(second["train/loss"], first["train/loss"], rtol=1e-12, atol=1e-12)
    # Adam divides by the gradient's size: where that is nearly nothing, rounding is all there is.
    tolerance = 1e-10 if optimizer == "sgd" else 1e-5
    torch.testing.assert_close(list(parted.parameters()), list(whole.parameters()), rtol=tolerance, atol=tolerance)


@given(clip=st.floats(0.01, 10))
@settings(max_examples=20, deadline=None)
def test_clipping_shortens_the_gradient_and_nothing_else(clip: float) -> None:
    model = network()
    data = batch(8)
    before = [p.detach().clone() for p in model.parameters()]
    found = gradient(model, data)
    norm = float(torch.cat([g.flatten() for g in found]).norm())
    values = make(model, {"momentum": 0.0, "lr": 1.0}, clip=clip).step([data], 0)
    assert float(values["grad_norm"]) == pytest.approx(norm)
    moved = [old - new for old, new in zip(before, model.parameters(), strict=True)]
    share = min(1.0, clip / (norm + 1e-6))
    torch.testing.assert_close(moved, [g * share for g in found], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("ramp", [False, True])
@pytest.mark.parametrize("decay", [0.15, 0.99])
def test_the_average_is_a_plain_one(decay: float, ramp: bool) -> None:
    """With a ramp its decay rises from 0.1 on: 0.1, 0.18, 0.25 …"""
    model = network()
    model.register_buffer("seen", torch.zeros(2, dtype=torch.float64))
    trainer = make(model, ema=decay, ema_ramp=ramp)
    mean = {name: value.clone() for name, value in model.state_dict().items()}
    for step in range(5):
        model.get_buffer("seen").add_(1)
        trainer.step([batch(8, step)], step)
        now = min(decay, (1 + step) / (10 + step)) if ramp else decay
        mean = {name: now * mean[name] + (1 - now) * value for name, value in model.state_dict().items()}
    averaged = trainer.averaged()
    assert averaged is not None
    torch.testing.assert_close(dict(averaged), mean)
    live = copy.deepcopy(model.state_dict())
    with trainer.evaluating():
        torch.testing.assert_close(dict(model.state_dict()), mean)
    torch.testing.assert_close(model.state_dict(), live, rtol=0, atol=0)


def masked() -> nn.Module:
    """With a mask of −inf, a count, and a buffer that is no part of the state."""
    model = network()
    model.register_buffer("mask", torch.tensor([0.0, -torch.inf], dtype=torch.float64))
    model.register_buffer("scratch", torch.zeros(2, dtype=torch.float64), persistent=False)
    model.register_buffer("count", torch.tensor(0))
    return model


def test_the_average_leaves_out_what_has_none() -> None:
    """Average parameters and statistics; the rest is in the model as it is."""
    model = masked()
    trainer = make(model, ema=0.5)
    for step in range(3):
        for name in ("scratch", "count"):
            model.get_buffer(name).add_(1)
        trainer.step([batch(8, step)], step)
    averaged = trainer.averaged()
    assert averaged is not None
    assert averaged.keys() == dict(model.named_parameters()).keys() and all(
        t.isfinite().all() for t in averaged.values()
    )
    with trainer.evaluating():
        assert model.get_buffer("mask").tolist() == [0, -torch.inf]
        assert model.get_buffer("scratch").tolist() == [3, 3] and int(model.get_buffer("count")) == 3


def test_an_older_average_is_loaded() -> None:
    """Of every floating-point buffer, whether it was stored or finite."""
    trainer, again = make(masked(), ema=0.5), make(masked(), ema=0.5)
    trainer.step([batch(8)], 0)
    state = trainer.state()
    nan = torch.full((2,), torch.nan, dtype=torch.float64)
    again.load({**state, "ema": {**state["ema"], "mask": nan, "scratch": nan}})
    torch.testing.assert_close(dict(again.averaged() or {}), dict(trainer.averaged() or {}), rtol=0, atol=0)


def test_evaluating_puts_back_every_mode_even_after_an_error() -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.5), nn.BatchNorm1d(3)).double()
    model[1].eval()  # frozen by its owner
    trainer = make(model)
    with pytest.raises(ZeroDivisionError), trainer.evaluating():
        assert not any(module.training for module in model.modules())
        assert not torch.is_grad_enabled()
        raise ZeroDivisionError
    assert [module.training for module in model] == [True, False, True]
    assert torch.is_grad_enabled()


def test_the_rate_follows_the_schedule() -> None:
    trainer = make(network(), {"schedule": "one-cycle", "lr": 2.0, "warmup": 0.5}, probe_every=1)
    rates = [float(trainer.step([batch(4)], step)["lr"]) for step in range(100)]
    assert max(rates) == pytest.approx(2.0)
    assert rates.index(max(rates)) == 50
    assert rates == sorted(rates[:51]) + sorted(rates[51:], reverse=True)


@pytest.mark.parametrize("probe_every", [0, 1, 3])
def test_the_probe_records_norm_and_rate(probe_every: int) -> None:
    trainer = make(network(), probe_every=probe_every)
    recorded = [sorted(trainer.step([batch(4)], step)) for step in range(7)]
    probed = [step for step in range(7) if probe_every and step % probe_every == 0]
    assert recorded == [["grad_norm", "lr", "train/loss"] if step in probed else ["train/loss"] for step in range(7)]


def test_weights_decay_and_biases_do_not() -> None:
    parameters = list(network().parameters())
    groups = decay_groups(parameters, 0.1)
    assert [(len(g["params"]), g["weight_decay"]) for g in groups] == [(2, 0.1), (2, 0.0)]
    assert all(p.dim() > 1 for p in groups[0]["params"])


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "muon"])
def test_l1_adds_the_sum_of_matrices_absolute_values_to_what_is_minimised(optimizer: str) -> None:
    """Against the same step with the penalty in the loss; what is recorded is without it."""
    model, weight = network(), 0.03
    other = copy.deepcopy(model)
    penalised = make(model, {"optimizer": optimizer, "l1": weight, "lr": 0.1})
    plain = make(other, {"optimizer": optimizer, "lr": 0.1})
    without = squared

    def loss(outputs: Tensor, data: Batch) -> Mapping[str, Tensor]:
        found = without(outputs, data)
        return {"loss": found["loss"] + weight * sum(p.abs().sum() for p in other.parameters() if p.dim() > 1)}

    plain.setup = replace(plain.setup, loss=loss)
    for step in range(3):
        data = batch(8, step)
        recorded = penalised.step([data], step)["train/loss"]
        assert float(recorded) < float(plain.step([data], step)["train/loss"])
        for mine, theirs in zip(model.parameters(), other.parameters(), strict=True):
            torch.testing.assert_close(mine, theirs)


def test_muon_orthogonalises_hidden_matrices_only() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.Conv2d(4, 4, 3), nn.Linear(4, 1))
    muon, rest = make(model, {"optimizer": "muon"}).setup.model, make(model, {"optimizer": "muon"})._optimizers[1]
    assert muon is model
    left = {id(p) for group in rest.param_groups for p in group["params"]}
    names = sorted(name for name, p in model.named_parameters() if id(p) in left)
    assert names == ["0.bias", "1.bias", "2.bias", "2.weight"]


@pytest.mark.parametrize(
    ("option", "value"), [("accumulate", 2), ("clip", 1.0), ("ema", 0.9), ("precision", "bf16"), ("compile", True)]
)
def test_an_unsupported_option_is_refused_by_name(tmp_path: Path, option: str, value: Any) -> None:
    layer = {"trainer": {"name": "modest"}}
    with pytest.raises(UsageError, match=rf"engine\.{option} = {value!r}: trainer 'modest' does not support it"):
        toy_attempt(tmp_path, layer=layer, plugins=("extras",), **{option: value})
    assert not (tmp_path / "runs").exists(), "what cannot be built leaves nothing behind"


def test_a_modest_trainer_trains_without_options(tmp_path: Path) -> None:
    run = finish(toy_attempt(tmp_path, layer={"trainer": {"name": "modest"}}, plugins=("extras",)))
    assert run.read()["state"] == "completed"
