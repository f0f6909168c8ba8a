"""Step against sigmoid: what the same sum becomes, all or nothing or by degrees."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from dlkit.samples import Curve
from dlkit_points.info import PointsInfo
from dlkit_points.regions import view_of
from dlkit_points.shown import Ask, is_straight

PLACES = 161


def step_against_sigmoid(model: nn.Module, ask: Ask, info: PointsInfo) -> list[Curve]:
    """Of a straight model of two classes, both functions of the sum, on the way straight across its line."""
    if not is_straight(model) or len(info.classes) != 2:
        return []
    corner = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    scores = ask(corner)
    sums = (scores[:, 1] - scores[:, 0]) / (2 if _one_unit(model) else 1)
    slope, bias = torch.stack([sums[1] - sums[0], sums[2] - sums[0]]).double(), float(sums[0])
    length = float(slope.norm())
    if not np.isfinite(length) or length < 1e-9:  # it has learnt no direction yet
        return []
    view = view_of(info)
    middle = torch.tensor([sum(view.x) / 2, sum(view.y) / 2]).double()
    reach = (view.x[1] - view.x[0]) / 2
    # From the line itself, wherever that lies: there the sum is 0.
    centre = float(middle @ slope + bias) / length
    away = np.linspace(min(-reach, centre - reach), max(reach, centre + reach), PLACES)
    z = away * length
    return [
        Curve(
            name="step",
            title=f"Step against sigmoid across the line, for {info.classes[1]}: the sum grows by {length:.3g} a unit",
            x=away.tolist(),
            lines={
                "step": (z > 0).astype(float).tolist(),
                "sigmoid": (1 / (1 + np.exp(-np.clip(z, -60, 60)))).tolist(),
            },
            x_label="distance from the line",
            y_label="output",
        )
    ]


def _one_unit(model: nn.Module) -> bool:
    """Whether the scores of two classes are one unit's sum and its negative."""
    layers = getattr(model, "layers", [])
    return len(layers) == 1 and getattr(layers[0], "out_features", 0) == 1
