"""The trainer: update rule, engine options, dropout, the perceptron's promise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dlkit.engine import tree
from dlkit.engine.device.mps import Mps
from dlkit.errors import PluginError, UsageError
from dlkit_scratch.network import Network, multilayer, zeros
from dlkit_scratch.trainer import ScratchTrainer

Make = Callable[..., ScratchTrainer]
Batches = list[dict[str, torch.Tensor]]


def regression_batches(count: int, *, size: int = 16, seed: int = 0, double: bool = True) -> Batches:
    generator = torch.Generator().manual_seed(seed)
    kind = torch.float64 if double else torch.float32
    made = []
    for _ in range(count):
        x = torch.randn(size, 5, generator=generator, dtype=kind)
        made.append({"x": x, "target": x[:, :1].sin() + x[:, 1:2]})
    return made


def network(dropout: float = 0.0, seed: int = 0) -> Network:
    return multilayer([5, 7, 6, 1], "tanh", dropout, np.random.default_rng(seed))


def weights(model: torch.nn.Module) -> torch.Tensor:
    return torch.cat([p.flatten() for p in model.parameters()]).clone()


def twin(model: Network) -> tuple[torch.nn.Module, list[torch.nn.Parameter]]:
    """The same network in torch's modules, trained by autograd."""
    layers: list[torch.nn.Module] = []
    for layer in model.layers:
        inputs, outputs = layer.weight.shape
        linear = torch.nn.Linear(inputs, outputs, dtype=layer.weight.dtype)
        linear.weight.data.copy_(layer.weight.T)
        linear.bias.data.copy_(layer.bias)
        layers += [linear, torch.nn.Tanh()]
    other = torch.nn.Sequential(*layers[:-1])
    return other, list(other.parameters())


def assert_same(model: Network, parameters: list[torch.nn.Parameter]) -> None:
    for mine, other in zip(model.parameters(), parameters, strict=True):
        torch.testing.assert_close(mine, other.T if other.dim() == 2 else other, rtol=1e-12, atol=1e-12)


@given(lr=st.floats(1e-3, 0.2), momentum=st.floats(0, 0.99), decay=st.floats(0, 0.1))
@settings(max_examples=20, deadline=None)
def test_steps_are_those_of_torchs_sgd(lr: float, momentum: float, decay: float, make_trainer: Make) -> None:
    model = network().double()
    other, parameters = twin(model)
    optimizer = torch.optim.SGD(parameters, lr, momentum=momentum)
    trainer = make_trainer(model, "mse", lr=lr, momentum=momentum, decay=decay)
    for step, batch in enumerate(regression_batches(12)):
        values = trainer.step([batch], step)
        optimizer.param_groups[0]["lr"] = lr / (1 + decay * step)
        loss = torch.nn.functional.mse_loss(other(batch["x"]), batch["target"])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        assert values["train/loss"] == pytest.approx(loss.item(), rel=1e-9)
    assert_same(model, parameters)


def test_clipping_is_torchs(make_trainer: Make) -> None:
    model = network().double()
    other, parameters = twin(model)
    optimizer = torch.optim.SGD(parameters, 0.1, momentum=0.9)
    trainer = make_trainer(model, "mse", engine={"clip": 0.3}, lr=0.1)
    for step, batch in enumerate(regression_batches(12)):
        values = trainer.step([batch], step)
        torch.nn.functional.mse_loss(other(batch["x"]), batch["target"]).backward()
        norm = torch.nn.utils.clip_grad_norm_(parameters, 0.3)
        optimizer.step()
        optimizer.zero_grad()
        assert values["grad_norm"] == pytest.approx(norm.item(), rel=1e-9)
    assert_same(model, parameters)


def test_accumulated_batches_are_one_large_batch(make_trainer: Make) -> None:
    batches = regression_batches(6)
    whole = {key: torch.cat([batch[key] for batch in batches]) for key in batches[0]}
    one, several = network().double(), network().double()
    at_once = make_trainer(one, "mse").step([whole], 0)
    in_parts = make_trainer(several, "mse").step(batches, 0)
    assert at_once["train/loss"] == pytest.approx(in_parts["train/loss"])
    torch.testing.assert_close(weights(one), weights(several), rtol=1e-12, atol=1e-12)


def test_gradient_norm_and_rate_are_probed_at_their_cadence(make_trainer: Make) -> None:
    trainer = make_trainer(network(), "mse", engine={"probe_every": 3}, lr=0.5, decay=1.0)
    rows = [trainer.step([batch], step) for step, batch in enumerate(regression_batches(7, double=False))]
    assert [i for i, row in enumerate(rows) if "grad_norm" in row] == [0, 3, 6]
    assert [row["lr"] for row in rows if "lr" in row] == pytest.approx([0.5, 0.125, 0.5 / 7])
    assert all(isinstance(row["train/loss"], float) for row in rows)


@given(split=st.integers(1, 9), seed=st.integers(0, 100))
@settings(max_examples=20, deadline=None)
def test_state_makes_a_resume_exact(split: int, seed: int, make_trainer: Make) -> None:
    """Momentum and the dropout masks go on as if nothing had happened, through the storage form of a checkpoint."""
    batches = regression_batches(10, seed=seed, double=False)
    through = network(dropout=0.4)
    trainer = make_trainer(through, "mse", engine={"seed": seed})
    for step, batch in enumerate(batches):
        if step == split:
            skeleton, tensors = tree.split(trainer.state())
            state = {"model": {n: t.clone() for n, t in through.state_dict().items()}, "tensors": dict(tensors)}
        trainer.step([batch], step)
    fresh = network(dropout=0.4, seed=1)
    resumed = make_trainer(fresh, "mse", engine={"seed": seed})
    fresh.load_state_dict(state["model"])
    resumed.load(tree.join(skeleton, state["tensors"]))
    for step, batch in enumerate(batches[split:], split):
        resumed.step([batch], step)
    assert torch.equal(weights(through), weights(fresh))


def test_dropout_scales_what_it_keeps_and_evaluation_drops_nothing(make_trainer: Make) -> None:
    """The mean over many masks of a linear read-out is what evaluation computes."""
    model = multilayer([4, 200, 1], "relu", 0.5, np.random.default_rng(0))
    trainer = make_trainer(model, "mse", lr=1e-12, momentum=0.0)
    x = torch.ones(400, 4)
    with trainer.evaluating():
        exact = trainer.evaluate({"x": x})
    passes = trainer._gradient._prepare(400)[0]
    outputs = x.numpy()
    for layer in passes:
        outputs = layer.forward(outputs)
    assert outputs.std() > 0  # each row has a mask of its own
    assert outputs.mean() == pytest.approx(exact[0].item(), abs=4 * float(outputs.std()) / 20)


def test_dropout_gradient_is_autograds_under_the_same_mask(make_trainer: Make) -> None:
    model = multilayer([4, 9, 2], "tanh", 0.3, np.random.default_rng(0)).double()
    gradient = make_trainer(model, "cross-entropy")._gradient
    x, labels = torch.randn(6, 4, dtype=torch.float64), torch.tensor([0, 1, 0, 0, 1, 1])
    gradient(x.numpy(), labels.numpy())
    mask = torch.from_numpy(gradient._passes[6][0][0].mask)
    assert set(mask.unique().tolist()) == {0.0, 1 / 0.7}
    copies = [p.detach().clone().requires_grad_() for p in model.parameters()]
    hidden = torch.tanh(x @ copies[0] + copies[1]) * mask
    loss = torch.nn.functional.cross_entropy(hidden @ copies[2] + copies[3], labels)
    for found, wanted in zip(gradient.gradients, torch.autograd.grad(loss, copies), strict=True):
        np.testing.assert_allclose(found, wanted.numpy(), atol=1e-10)


def separable(seed: int, count: int = 60, margin: float = 0.5) -> tuple[torch.Tensor, torch.Tensor]:
    """Points in two classes with a gap between them."""
    generator = np.random.default_rng(seed)
    direction = generator.normal(size=3)
    direction /= np.linalg.norm(direction)
    x = generator.normal(size=(count, 3)) * 2
    labels = x @ direction > 0
    x += np.where(labels, margin, -margin)[:, None] * direction
    return torch.from_numpy(x.astype(np.float32)), torch.from_numpy(labels.astype(np.int64))


@pytest.mark.parametrize("seed", range(5))
def test_the_perceptron_makes_no_more_mistakes_than_novikoff_allows(seed: int, make_trainer: Make) -> None:
    """At most (R/γ)² corrections of one unit on separable data (Novikoff 1962), R and γ of points (x, 1)."""
    x, labels = separable(seed)
    model = zeros(3, 2)
    trainer = make_trainer(model, "perceptron", lr=1.0, momentum=0.0)
    corrections, step = 0, 0
    for _ in range(500):
        before = weights(model)
        for i in range(len(x)):
            old = model.layers[0].weight[:, 1].clone()
            trainer.step([{"x": x[i : i + 1], "label": labels[i : i + 1]}], step)
            corrections += not torch.equal(old, model.layers[0].weight[:, 1])
            step += 1
        if torch.equal(before, weights(model)):
            break
    else:
        pytest.fail("it never stopped")
    assert (model(x).argmax(1) == labels).all()
    homogeneous = torch.cat([x, torch.ones(len(x), 1)], 1).double()
    signs = (2 * labels - 1).double()
    separator = torch.cat([model.layers[0].weight[:, 1], model.layers[0].bias[1:]]).double()
    gamma = (signs * (homogeneous @ (separator / separator.norm()))).min()
    assert gamma > 0
    assert corrections <= (homogeneous.norm(dim=1).max() / gamma) ** 2


@pytest.mark.parametrize("loss", ["cross-entropy", "logistic"])
def test_linear_classifiers_learn_what_is_separable(loss: str, make_trainer: Make) -> None:
    x, labels = separable(0)
    model = zeros(3, 2)
    trainer = make_trainer(model, loss, lr=0.5)
    losses = [trainer.step([{"x": x, "label": labels}], step)["train/loss"] for step in range(200)]
    assert (model(x).argmax(1) == labels).all()
    assert losses[-1] < losses[0] / 5


def test_l1_makes_weights_vanish_that_l2_only_shrinks(make_trainer: Make) -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(200, 10, generator=generator)
    batch = {"x": x, "target": 2 * x[:, :1]}
    small = {}
    for name, options in (("l1", {"l1": 0.1}), ("l2", {"l2": 0.1})):
        model = zeros(10, 1)
        trainer = make_trainer(model, "mse", lr=0.01, momentum=0.0, **options)
        for step in range(2000):
            trainer.step([batch], step)
        weight = model.layers[0].weight[:, 0]
        assert 1.5 < weight[0] < 2
        small[name] = weight[1:].abs().max().item()
    assert small["l1"] < 2e-3 < small["l2"]


def test_other_devices_are_refused(make_trainer: Make) -> None:
    with pytest.raises(UsageError, match="cpu"):
        make_trainer(network(), "mse", device=Mps())
    with pytest.raises(UsageError, match="--device cpu"):
        network()(torch.empty(2, 5, device="meta"))


def test_models_of_other_plugins_are_refused(make_trainer: Make) -> None:
    stranger: Any = torch.nn.Linear(5, 1)
    with pytest.raises(PluginError, match="Linear"):
        make_trainer(stranger, "mse")
