"""What a finished run comes to, in words: whether a line divides the points, and how near the model came."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from dlkit_points.info import PointsInfo
from dlkit_points.shown import Ask, is_straight


def verdict(model: nn.Module, ask: Ask, info: PointsInfo) -> list[str]:
    """Sentences; none where nothing is proved."""
    labels = torch.as_tensor(np.asarray(info.shown_labels))
    right = float((ask(torch.as_tensor(np.asarray(info.shown))).argmax(1) == labels).float().mean())
    two, straight = len(info.classes) == 2, is_straight(model)
    if info.divided is None:
        return []
    if not info.divided:
        return [_undivided(info, right, two=two, straight=straight)]
    if not straight:
        return []
    what = "a line divides" if two else "straight lines divide"
    if right < 1:
        return [f"{what} these points, but not yet as this model has it: {right:.1%} of the training points are right"]
    return [f"{what} these points{f': {_equation(ask, info)}' if two else ''}"]


def _undivided(info: PointsInfo, right: float, *, two: bool, straight: bool) -> str:
    what = "no line divides these points" if two else "no straight lines divide these points"
    best = f" The best line has {info.best_line:.1%} of the training points right." if info.best_line else ""
    if not straight:
        return f"{what}; this model, whose borders bend, has {right:.1%} of the training points right.{best}"
    crossing = ", ".join(_named(info))
    return f"{what}: already these cannot be divided: {crossing}.{best} This one has {right:.1%}."


def _named(info: PointsInfo) -> list[str]:
    own = np.asarray(info.witness, np.float64) * np.asarray(info.std) + np.asarray(info.mean)
    labels = np.asarray(info.witness_labels).tolist()
    return [f"({x:.3g}, {y:.3g}) {info.classes[label]}" for (x, y), label in zip(own.tolist(), labels, strict=True)]


def _equation(ask: Ask, info: PointsInfo) -> str:
    """The line on which both classes' scores are equal, in the points' own units, its normal of length 1."""
    scores = ask(torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])).double()
    sums = scores[:, 1] - scores[:, 0]
    normal = np.array([float(sums[1] - sums[0]), float(sums[2] - sums[0])]) / np.asarray(info.std)
    bias = float(sums[0]) - float(normal @ np.asarray(info.mean))
    length = float(np.hypot(*normal)) or 1.0
    a, b = (float(part) / length for part in normal)
    c = bias / length
    x, y = info.axes
    return f"{a:.3g}·{x} {'+' if b >= 0 else '−'} {abs(b):.3g}·{y} {'+' if c >= 0 else '−'} {abs(c):.3g} = 0"
