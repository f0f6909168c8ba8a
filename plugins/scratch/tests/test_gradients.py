"""Gradients by hand are those of torch's autograd, and of finite differences, in float64."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from dlkit_scratch.backpropagation import Backpropagation
from dlkit_scratch.losses import CrossEntropy, Logistic, Loss, Perceptron, SquaredError
from dlkit_scratch.network import Network, multilayer

TORCH_ACTIVATIONS = {"sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu}


def _logistic(z: Tensor, labels: Tensor) -> Tensor:
    ones = F.one_hot(labels, z.shape[1]).to(z.dtype)
    return F.binary_cross_entropy_with_logits(z, ones, reduction="sum") / len(z)


def _criterion(z: Tensor, labels: Tensor) -> Tensor:
    signs = 2 * F.one_hot(labels, z.shape[1]).to(z.dtype) - 1
    return torch.relu(-signs * z).sum() / len(z)


LOSSES: dict[str, tuple[type[Loss], Any]] = {
    "mse": (SquaredError, F.mse_loss),
    "cross-entropy": (CrossEntropy, F.cross_entropy),
    "logistic": (Logistic, _logistic),
    "perceptron": (Perceptron, _criterion),
}


@dataclass
class Case:
    """A random network with a random batch."""

    network: Network
    activation: str
    loss: str
    x: Tensor
    target: Tensor

    @property
    def built(self) -> Loss:
        config: Any = None
        return LOSSES[self.loss][0](config, None)

    def reference(self, parameters: list[Tensor]) -> Tensor:
        """The loss in torch's own operations."""
        h = self.x
        pairs = list(zip(parameters[::2], parameters[1::2], strict=True))
        for weight, bias in pairs[:-1]:
            h = TORCH_ACTIVATIONS[self.activation](h @ weight + bias)
        value: Tensor = LOSSES[self.loss][1](h @ pairs[-1][0] + pairs[-1][1], self.target)
        return value


@st.composite
def cases(draw: st.DrawFn) -> Case:
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    activation, loss = draw(st.sampled_from(sorted(TORCH_ACTIVATIONS))), draw(st.sampled_from(sorted(LOSSES)))
    outputs = draw(st.integers(1, 3)) if loss == "mse" else draw(st.integers(2, 6))
    sizes = [draw(st.integers(1, 9)), *draw(st.lists(st.integers(1, 9), max_size=3)), outputs]
    count = draw(st.integers(1, 17))
    network = multilayer(sizes, activation, 0.0, generator).double()
    for parameter in network.parameters():
        parameter.copy_(torch.from_numpy(generator.normal(0, 0.7, tuple(parameter.shape))))
    x = torch.from_numpy(generator.normal(size=(count, sizes[0])))
    target = generator.normal(size=(count, outputs)) if loss == "mse" else generator.integers(0, outputs, count)
    return Case(network, activation, loss, x, torch.from_numpy(target))


@given(case=cases())
@settings(max_examples=150, deadline=None)
def test_gradients_are_autograds(case: Case) -> None:
    gradient = Backpropagation(case.network, case.built, np.random.default_rng(0))
    value = gradient(case.x.numpy(), case.target.numpy())
    copies = [p.detach().clone().requires_grad_() for p in case.network.parameters()]
    expected = case.reference(copies)
    assert value == pytest.approx(expected.item(), rel=1e-12, abs=1e-12)
    for found, wanted in zip(gradient.gradients, torch.autograd.grad(expected, copies), strict=True):
        np.testing.assert_allclose(found, wanted.numpy(), rtol=0, atol=1e-10)


@given(case=cases(), l1=st.floats(0, 0.5), l2=st.floats(0, 0.5))
@settings(max_examples=60, deadline=None)
def test_penalties_are_autograds(case: Case, l1: float, l2: float, make_trainer: Any) -> None:
    """One step at rate 1 without momentum is the gradient of loss and penalties."""
    before = [p.detach().clone().requires_grad_() for p in case.network.parameters()]
    weights = before[::2]
    penalty = sum(l1 * w.abs().sum() + l2 / 2 * w.square().sum() for w in weights)
    expected = torch.autograd.grad(case.reference(before) + penalty, before)
    trainer = make_trainer(case.network, case.loss, lr=1.0, momentum=0.0, l1=l1, l2=l2)
    trainer.step([{"x": case.x, trainer.setup.loss.key: case.target}], 1)
    for after, start, wanted in zip(case.network.parameters(), before, expected, strict=True):
        torch.testing.assert_close(start.detach() - after, wanted, rtol=0, atol=1e-10)


@given(case=cases())
@settings(max_examples=25, deadline=None)
def test_gradients_are_finite_differences(case: Case) -> None:
    """Central differences, an error of order h²; where a kink (ReLU, perceptron) lies within h there is no answer."""
    gradient = Backpropagation(case.network, case.built, np.random.default_rng(0))
    x, target, h = case.x.numpy(), case.target.numpy(), 1e-5
    gradient(x, target)
    analytic = gradient.flat.copy()
    parameters = [p.reshape(-1) for p in gradient.parameters]
    place = 0
    for parameter in parameters:
        for i in range(len(parameter)):
            values = []
            for change in (h, -h, 2 * h, -2 * h):
                kept = parameter[i]
                parameter[i] = kept + change
                values.append(gradient(x, target))
                parameter[i] = kept
            near, far = (values[0] - values[1]) / (2 * h), (values[2] - values[3]) / (4 * h)
            if abs(near - far) < 1e-7:  # smooth around here
                assert near == pytest.approx(analytic[place], abs=1e-6)
            else:
                assert case.activation == "relu" or case.loss == "perceptron"
            place += 1


def test_a_batch_of_another_size_has_arrays_of_its_own() -> None:
    network = multilayer([3, 4, 1], "tanh", 0.0, np.random.default_rng(0)).double()
    config: Any = None
    gradient = Backpropagation(network, SquaredError(config, None), np.random.default_rng(0))
    generator = np.random.default_rng(1)
    x, target = generator.normal(size=(8, 3)), generator.normal(size=(8, 1))
    gradient(x, target)
    whole = gradient.flat.copy()
    gradient(x[:3], target[:3])
    first = gradient.flat.copy()
    gradient(x[3:], target[3:])
    np.testing.assert_allclose((3 * first + 5 * gradient.flat) / 8, whole, atol=1e-12)
    gradient(x, target)
    np.testing.assert_array_equal(gradient.flat, whole)


@pytest.mark.parametrize("loss", sorted(LOSSES))
@pytest.mark.filterwarnings("error")
def test_large_scores_do_not_overflow(loss: str) -> None:
    config: Any = None
    outputs = np.array([[-1000.0, 1000.0], [1000.0, -1000.0]], np.float32)
    target = np.array([[0.0, 0.0], [0.0, 0.0]], np.float32) if loss == "mse" else np.array([0, 0])
    gradient = np.empty_like(outputs)
    value = LOSSES[loss][0](config, None).value_and_gradient(outputs, target, gradient)
    assert np.isfinite(value) and np.isfinite(gradient).all()
