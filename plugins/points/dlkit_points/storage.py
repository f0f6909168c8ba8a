"""Labelled points as splits, and what is told of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from dlkit.data.parts import Indices, held_out, stratified, too_few
from dlkit.data.splits import Data, TensorSplit
from dlkit.metrics.selection import evenly_spaced
from dlkit_points.dividing import best_line, crossing

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]
SHOWN = 300
"""Training points that pictures show: of more, some from all over."""


@dataclass(frozen=True)
class Labelled:
    """Points [N,2] in their own units, and their labels [N]."""

    points: Floats
    labels: Labels

    def __len__(self) -> int:
        return len(self.labels)

    def at(self, index: Indices) -> Labelled:
        return Labelled(self.points[index], self.labels[index])


@dataclass(frozen=True)
class Axes:
    """Names and scales of the two numbers."""

    names: tuple[str, str] = ("x", "y")
    mean: tuple[float, float] = (0.0, 0.0)
    std: tuple[float, float] = (1.0, 1.0)

    def seen(self, points: Floats) -> npt.NDArray[np.float32]:
        """As the model sees them."""
        return ((points - self.mean) / self.std).astype(np.float32)


PLAIN = Axes()


def divided_by_shares(whole: Labelled, val: float, test: float, seed: int, what: str) -> dict[str, Labelled]:
    """Train, validation and test, each with the classes in proportion; DataError where there are too few."""
    total, parts, rest = len(whole), dict[str, Labelled](), whole
    for part, fraction in (("test", test), ("val", val)):
        if fraction:
            kept, chosen = stratified(rest.labels, held_out(total, fraction), seed, part)
            if not len(chosen):
                raise too_few(f"{total} {what}", part)
            parts[part], rest = rest.at(chosen), rest.at(kept)
    return {"train": rest, **parts}


def as_data(
    classes: Sequence[str],
    parts: Mapping[str, Labelled],
    axes: Axes = PLAIN,
    notes: Sequence[str] = (),
    more: Mapping[str, object] | None = None,
) -> Data:
    """Splits and ``info``: whether lines divide the training points is found out here, since it is theirs."""
    splits = {name: _split(part, axes) for name, part in parts.items()}
    train = parts["train"]
    seen = axes.seen(train.points)
    witness = crossing(seen.astype(np.float64), train.labels)
    two = len(classes) == 2 and witness is not None and len(witness)
    shown = evenly_spaced(len(train), SHOWN).numpy()
    chosen = np.asarray([] if witness is None else witness, np.int64)
    info = {
        "classes": list(classes),
        "axes": axes.names,
        "mean": axes.mean,
        "std": axes.std,
        "shown": seen[shown],
        "shown_labels": train.labels[shown],
        "divided": None if witness is None else not len(witness),
        "witness": seen[chosen],
        "witness_labels": train.labels[chosen],
        "best_line": best_line(train.points, train.labels) if two else None,
        **(more or {}),
    }
    return Data(train=splits["train"], val=splits["val"], test=splits.get("test"), info=info, notes=list(notes))


def _split(part: Labelled, axes: Axes) -> TensorSplit:
    return TensorSplit(
        {"point": torch.from_numpy(axes.seen(part.points)), "label": torch.from_numpy(part.labels.copy())}
    )
