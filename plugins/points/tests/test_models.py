"""Models, losses and what they say of themselves."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from dlkit.config import NoOptions
from dlkit_points import losses, models
from dlkit_points.options import LinearConfig, MlpConfig
from dlkit_points.shown import hidden_units, is_straight, shares, way

TWO: Any = SimpleNamespace(classes=["a", "b"])
FOUR: Any = SimpleNamespace(classes=["a", "b", "c", "d"])
LINEAR = [models.perceptron, models.logistic, models.softmax]
POINTS = torch.tensor([[0.5, -1.0], [2.0, 0.25], [-1.0, 3.0]])


@pytest.mark.parametrize("info", [TWO, FOUR])
@pytest.mark.parametrize("build", LINEAR)
def test_linear_models_start_at_zero_and_are_straight(build: Any, info: Any) -> None:
    net = build(LinearConfig(), info)
    assert not any(p.any() for p in net.parameters())
    assert net(POINTS).shape == (3, len(info.classes))
    assert is_straight(net) and hidden_units(net, POINTS) == []


def test_what_bends_is_not_straight() -> None:
    assert not is_straight(models.logistic(LinearConfig(inputs=["x", "y", "xy"]), TWO))
    assert not is_straight(models.mlp(MlpConfig(), TWO))
    assert is_straight(models.mlp(MlpConfig(hidden=[]), TWO))


def test_inputs_are_what_they_are_called() -> None:
    net = models.softmax(LinearConfig(inputs=["x", "y", "xx", "yy", "xy", "sinx", "siny"]), FOUR)
    with torch.no_grad():
        net.layers[0].weight.copy_(torch.eye(7)[:4] + torch.eye(7)[3:])
    x, y = POINTS.T
    expected = torch.stack([x + y * y, y + x * y, x * x + torch.sin(3 * x), y * y + torch.sin(3 * y)], 1)
    torch.testing.assert_close(net(POINTS), expected)


def test_hidden_units_are_what_the_layers_pass_on() -> None:
    net = models.mlp(MlpConfig(hidden=[5, 3], activation="relu"), FOUR).eval()
    first, second = hidden_units(net, POINTS)
    assert first.shape == (3, 5) and second.shape == (3, 3)
    torch.testing.assert_close(net.layers[-1](second), net(POINTS))


def test_the_way_is_kept_while_training_alone_and_ends_where_the_weights_are() -> None:
    net = models.logistic(LinearConfig(), TWO)
    net.eval()(POINTS)
    assert len(way(net)[0]) == 1
    net.train()(POINTS)
    with torch.no_grad():
        net.layers[0].weight.fill_(2)
    steps, named = way(net)
    assert steps.tolist() == [[0, 0, 0], [2, 2, 0]]
    assert list(named) == ["layers.0.weight", "layers.0.bias"]


def test_a_step_leaves_all_to_one_and_a_sigmoid_is_what_two_scores_come_to() -> None:
    z = torch.tensor([[-0.3, 0.3], [1.2, -1.2]])
    assert shares(z, "step").tolist() == [[0, 1], [1, 0]]
    torch.testing.assert_close(shares(z, "sigmoid")[:, 1], z[:, 1].sigmoid())
    for how in ("step", "sigmoid", "softmax"):
        torch.testing.assert_close(shares(torch.randn(5, 4), how).sum(1), torch.ones(5))


def test_the_perceptron_s_gradient_is_rosenblatt_s_rule() -> None:
    net, loss = models.perceptron(LinearConfig(), TWO), losses.perceptron(NoOptions(), TWO)
    with torch.no_grad():
        net.layers[0].weight.copy_(torch.tensor([[1.0, -1.0]]))
    point = torch.tensor([[0.5, 2.0]])  # its sum is −1.5: the unit says 0
    for label, error in ((1, -1), (0, 0)):
        net.zero_grad()
        loss(net(point), {"label": torch.tensor([label])})["loss"].backward()
        assert net.layers[0].weight.grad is not None and net.layers[0].bias.grad is not None
        assert net.layers[0].weight.grad.tolist() == (error * point).tolist()
        assert net.layers[0].bias.grad.tolist() == [error]


def test_losses_are_their_formulas() -> None:
    z, label = torch.randn(6, 4, dtype=torch.float64), torch.tensor([0, 1, 2, 3, 0, 1])
    t = np.eye(4)[label]
    found = losses.logistic(NoOptions(), FOUR)(z, {"label": label})["loss"]
    assert float(found) == pytest.approx((np.logaddexp(0, z.numpy()) - t * z.numpy()).sum() / 6)
    found = losses.perceptron(NoOptions(), FOUR)(z, {"label": label})["loss"]
    assert float(found) == pytest.approx((((z.numpy() > 0) - t) * z.numpy()).sum() / 6)


def test_an_exported_model_keeps_no_way() -> None:
    net = models.mlp(MlpConfig(), TWO).eval()
    program = torch.export.export(net, (POINTS,), dynamic_shapes=({0: torch.export.Dim("batch")},))
    torch.testing.assert_close(program.module()(POINTS[:2]), net(POINTS[:2]))
