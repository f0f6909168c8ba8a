"""The whole input space as a picture: which class the model gives every place, and where the points lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from dlkit.samples import Marks, Plane
from dlkit_points.colours import CLASSES, WHITE, of_shares
from dlkit_points.info import PointsInfo
from dlkit_points.shown import Ask, shares

ASPECT = 1.6
"""Width over height, as a terminal's window has it."""
_AROUND = 0.1
"""Room around the points, as a share of what they span."""
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class View:
    """What of the plane is shown, in the units that the model sees: (lowest, highest) of both numbers."""

    x: tuple[float, float]
    y: tuple[float, float]

    def grid(self, width: int, height: int) -> Tensor:
        """The middles of so many pixels, float32 [height·width,2], the highest row first."""
        across, up = (
            low + (np.arange(count) + 0.5) * (high - low) / count
            for (low, high), count in ((self.x, width), (self.y, height))
        )
        x, y = np.meshgrid(across, up[::-1])
        return torch.from_numpy(np.stack([x.ravel(), y.ravel()], 1).astype(np.float32))


def view_of(info: PointsInfo) -> View:
    """All points that are shown, with room around them, in a window's proportions."""
    low, high = (np.asarray(info.shown, np.float64).min(0), np.asarray(info.shown, np.float64).max(0))
    middle, half = (low + high) / 2, np.maximum((high - low) / 2, 1e-6) * (1 + _AROUND)
    # In the points' own units, in which one across is as long as one upwards; a table's columns have no such unit.
    std = np.asarray(info.std)
    if tuple(info.std) == (1.0, 1.0):
        tall = max(half[1], half[0] / ASPECT)
        half = np.array([tall * ASPECT, tall])
    assert (std > 0).all()
    (left, bottom), (right, top) = (middle - half).tolist(), (middle + half).tolist()
    return View((left, right), (bottom, top))


def size_of(detail: int) -> tuple[int, int]:
    """Pixels across and down."""
    return detail, max(1, round(detail / ASPECT))


def regions(
    ask: Ask, how: str, info: PointsInfo, marks: Sequence[Marks], *, detail: int, title: str, note: str = ""
) -> Plane:
    """The model's decision everywhere, and what is marked on it."""
    view, (width, height) = view_of(info), size_of(detail)
    found = shares(ask(view.grid(width, height)), how).view(height, width, -1).numpy()
    x_range, y_range = in_units(view, info)
    return Plane(
        name="regions",
        title=title,
        image=of_shares(found),
        x_range=x_range,
        y_range=y_range,
        marks=marks,
        x_label=info.axes[0],
        y_label=info.axes[1],
        note=note,
    )


def in_units(view: View, info: PointsInfo) -> tuple[tuple[float, float], tuple[float, float]]:
    """The ranges as people know them."""
    x, y = (
        (low * s + m, high * s + m) for (low, high), m, s in zip((view.x, view.y), info.mean, info.std, strict=True)
    )
    return x, y


def own_units(points: Tensor, info: PointsInfo) -> Floats:
    """Points [N,2] as people know them."""
    own: Floats = points.double().numpy() * np.asarray(info.std) + np.asarray(info.mean)
    return own


def point_marks(
    ask: Ask, points: Tensor, labels: Tensor, info: PointsInfo, sign: str = "dot", more: str = ""
) -> list[Marks]:
    """Points in their class's colour; those that the model takes for another as crosses."""
    if not len(points):
        return []
    right, own = ask(points).argmax(1) == labels, own_units(points, info)
    found = []
    for label, name in enumerate(info.classes):
        for fine in (True, False):
            chosen = ((labels == label) & (right == fine)).numpy()
            if chosen.any():
                found.append(
                    Marks(
                        x=own[chosen, 0].tolist(),
                        y=own[chosen, 1].tolist(),
                        colour=CLASSES[label],
                        name=f"{name}{more}" if fine else f"{name}, taken for another",
                        sign=sign if fine else "cross",
                    )
                )
    return found


def witness_marks(info: PointsInfo) -> list[Marks]:
    """The points that already no line divides: those of a class joined, so that one sees that they cross."""
    points, labels = torch.as_tensor(np.asarray(info.witness)), np.asarray(info.witness_labels)
    found = []
    for label in np.unique(labels).tolist():
        own = own_units(points[torch.from_numpy(labels == label)], info)
        closed = own if len(own) < 3 else np.concatenate([own, own[:1]])
        found.append(
            Marks(x=closed[:, 0].tolist(), y=closed[:, 1].tolist(), colour=WHITE, name="these cross", joined=True)
        )
    return found
