"""The error over two weights, the others as they are, and the way that descent has come on it."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlkit.errors import UsageError, nearest
from dlkit.samples import Marks, Plane
from dlkit_points.colours import WHITE, of_heights
from dlkit_points.info import PointsInfo
from dlkit_points.losses import units
from dlkit_points.options import ExplorerConfig
from dlkit_points.regions import ASPECT
from dlkit_points.shown import Ask, decides, way

WIDTH, HEIGHT = 40, 25
"""Places across and down at which the error is computed; between them it is smooth."""
POINTS = 200
_AROUND = 0.4
_LEAST = 0.5
"""Half of what is shown at least, where the weights have hardly moved."""
_NAME = re.compile(r"(?P<parameter>[\w.]+)\[(?P<index>\d+(,\d+)*)\]\Z")
START, NOW = (255, 255, 255), (255, 92, 92)


@dataclass(frozen=True)
class Directions:
    """Two directions in the space of all weights, float32 [2,numbers], as the axes are called."""

    vectors: Tensor
    names: tuple[str, str]
    told: str


def error(scores: Tensor, labels: Tensor, how: str) -> float:
    """What the surface shows: of a step the share of points that are wrong, else the cross-entropy in nats."""
    if how == "step":
        return float((scores.argmax(1) != labels).float().mean())
    if how == "sigmoid":
        z, t = units(scores, labels)
        return float(F.binary_cross_entropy_with_logits(z, t, reduction="sum")) / len(z)
    return float(F.cross_entropy(scores, labels))


def surface(model: nn.Module, ask: Ask, info: PointsInfo, config: ExplorerConfig) -> list[Plane]:
    """The surface and the way on it; none for a model that keeps no way. UsageError: a weight that it has not."""
    steps, named = way(model)
    if not len(steps):
        return []
    chosen = _descent(steps) if config.surface == "descent" else _weights(named, config.weights)
    if chosen is None:
        return []
    now = steps[-1]
    path = (steps - now) @ chosen.vectors.T if config.surface == "descent" else steps @ chosen.vectors.T
    here = path[-1]
    (left, right), (low, high) = _ranges(path)
    grid = [
        now + (x - here[0]) * chosen.vectors[0] + (y - here[1]) * chosen.vectors[1]
        for y in torch.linspace(high, low, HEIGHT)
        for x in torch.linspace(left, right, WIDTH)
    ]
    how = decides(model)
    heights = _heights(named, ask, info, how, grid)
    what = "share of points that are wrong" if how == "step" else "cross-entropy"
    return [
        Plane(
            name="surface",
            title=f"Error ({what}) over {chosen.told}, and the way of descent",
            image=of_heights(_finer(heights, how)),
            x_range=(left, right),
            y_range=(low, high),
            marks=_way_marks(path),
            x_label=chosen.names[0],
            y_label=chosen.names[1],
            note=f"dark is low: from {heights.min():.3g} to {heights.max():.3g}; {len(steps)} places of the way",
        )
    ]


def _heights(named: dict[str, Tensor], ask: Ask, info: PointsInfo, how: str, grid: list[Tensor]) -> Tensor:
    """The error at each place [HEIGHT,WIDTH]; the weights are afterwards as they were."""
    points, labels = (
        torch.as_tensor(np.asarray(info.shown))[:POINTS],
        torch.as_tensor(np.asarray(info.shown_labels))[:POINTS],
    )
    parameters = list(named.values())
    kept = [p.detach().clone() for p in parameters]
    sizes = [p.numel() for p in parameters]
    try:
        found = []
        with torch.no_grad():
            for weights in grid:
                for parameter, part in zip(parameters, torch.split(weights, sizes), strict=True):
                    parameter.copy_(part.view_as(parameter))
                found.append(error(ask(points), labels, how))
    finally:
        with torch.no_grad():
            for parameter, value in zip(parameters, kept, strict=True):
                parameter.copy_(value)
    return torch.tensor(found).view(HEIGHT, WIDTH)


def _finer(heights: Tensor, how: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Four times as fine, and by its logarithm: a valley's floor is told apart too. Terraces stay terraces."""
    if how == "step":
        return heights.repeat_interleave(4, 0).repeat_interleave(4, 1).numpy()
    logged = torch.log(heights.clamp(min=1e-6))
    fine = F.interpolate(logged[None, None], scale_factor=4, mode="bicubic", align_corners=False)
    return fine[0, 0].numpy()


def _way_marks(path: Tensor) -> list[Marks]:
    x, y = path[:, 0].tolist(), path[:, 1].tolist()
    return [
        Marks(x=x, y=y, colour=WHITE, name="the way", joined=True),
        Marks(x=x[-1:], y=y[-1:], colour=NOW, name="now"),
        Marks(x=x[:1], y=y[:1], colour=START, name="start", sign="ring"),
    ]


def _ranges(path: Tensor) -> tuple[tuple[float, float], tuple[float, float]]:
    """What is shown: the whole way and room around it, both axes to one scale."""
    low, high = path.amin(0).double(), path.amax(0).double()
    middle, half = (low + high) / 2, (high - low) / 2 * (1 + _AROUND)
    tall = max(float(half[1]), float(half[0]) / ASPECT, _LEAST)
    x, y = middle.tolist()
    return (x - tall * ASPECT, x + tall * ASPECT), (y - tall, y + tall)


def _weights(named: dict[str, Tensor], wanted: list[str]) -> Directions | None:
    """Along two single weights: those that are named, else the first parameter's first two that belong together."""
    offsets, total = {}, 0
    for name, parameter in named.items():
        offsets[name] = total
        total += parameter.numel()
    names = wanted or _first_two(named)
    if len(names) < 2:
        return None
    vectors = torch.zeros(2, total)
    for row, name in enumerate(names):
        vectors[row, _place(name, named, offsets)] = 1
    return Directions(vectors, (names[0], names[1]), f"{names[0]} and {names[1]}")


def _first_two(named: dict[str, Tensor]) -> list[str]:
    """A unit's weights to both inputs: torch's layers have a row a unit, those of scratch a column."""
    name, first = next(iter(named.items()), ("", torch.empty(0)))
    if first.dim() == 2 and first.shape[1] == 2:
        return [f"{name}[0,0]", f"{name}[0,1]"]
    if first.dim() == 2 and first.shape[0] == 2:
        return [f"{name}[0,0]", f"{name}[1,0]"]
    return [f"{name}[{','.join('0' * (first.dim() - 1) + str(i))}]" for i in range(2)] if first.numel() > 1 else []


def _place(name: str, named: dict[str, Tensor], offsets: dict[str, int]) -> int:
    """Where a weight stands among all numbers; UsageError says what there is."""
    found = _NAME.match(name)
    if found is None or found["parameter"] not in named:
        shapes = [f"{key}[{','.join(str(size - 1) for size in p.shape)}]" for key, p in named.items()]
        raise UsageError(f"inference.weights: there is no weight {name!r}; {nearest(name, shapes)} (each the last one)")
    shape = named[found["parameter"]].shape
    index = [int(i) for i in found["index"].split(",")]
    if len(index) != len(shape) or any(i >= size for i, size in zip(index, shape, strict=True)):
        last = ",".join(str(size - 1) for size in shape)
        raise UsageError(f"inference.weights: {name!r} is outside {found['parameter']}, whose last one is [{last}]")
    return offsets[found["parameter"]] + int(np.ravel_multi_index(index, tuple(shape)))


def _descent(steps: Tensor) -> Directions | None:
    """The two directions in which the way went farthest (Lorch 2016; Li et al. 2018, arXiv 1712.09913, section 7)."""
    moved = (steps - steps[-1]).double()
    if len(moved) < 3 or steps.shape[1] < 2:
        return None
    _, lengths, directions = torch.linalg.svd(moved, full_matrices=False)
    if len(directions) < 2:
        return None
    share = float(lengths[:2].square().sum() / lengths.square().sum().clamp(min=1e-30))
    told = f"the two directions that {share:.0%} of descent went in"
    return Directions(directions[:2].float(), ("first direction", "second"), told)
