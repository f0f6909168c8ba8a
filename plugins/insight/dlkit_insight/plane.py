"""Many numbers as two: principal components, and t-SNE."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]

LEAST = 5
"""Points that t-SNE needs; fewer are drawn by principal components."""


def pca(values: Floats) -> tuple[Floats, Floats]:
    """[N,D] → [N,2] along the two directions of largest variance, and the share of the variance of each, [2].

    A direction's sign is arbitrary: each is turned so that its largest part is positive, and pictures of different
    steps can be compared.
    """
    centred = np.asarray(values, np.float64) - np.mean(values, 0)
    _, sizes, axes = np.linalg.svd(centred, full_matrices=False)
    axes, sizes = _two(axes), _two(sizes[:, None])[:, 0]
    axes = axes * np.where(axes[np.arange(2), np.abs(axes).argmax(1)] < 0, -1, 1)[:, None]
    whole = float((centred**2).sum())
    return centred @ axes.T, sizes**2 / whole if whole else np.zeros(2)


def _two(rows: Floats) -> Floats:
    found: Floats = rows[:2] if len(rows) > 1 else np.concatenate([rows, np.zeros_like(rows)])
    return found


def t_sne(values: Floats, perplexity: float) -> Floats:
    """[N,D] → [N,2] (van der Maaten and Hinton 2008, JMLR 9, 2579–2605), from the principal components, the same every
    time. Distances within a neighbourhood mean something, those between groups do not."""
    from sklearn.manifold import TSNE

    reach = min(perplexity, (len(values) - 1) / 3)  # it must be less than the number of points
    found: Floats = TSNE(perplexity=reach, init="pca", random_state=0).fit_transform(np.asarray(values, np.float32))
    return found


def purity(places: Floats, labels: npt.NDArray[np.int64], neighbours: int = 10) -> float:
    """The share of each point's nearest points that have its label, the mean over all: 1, where kinds lie apart."""
    count = min(neighbours, len(places) - 1)
    if count < 1:
        return 1.0
    distances = ((places[:, None] - places[None]) ** 2).sum(2)
    np.fill_diagonal(distances, np.inf)
    near = np.argpartition(distances, count - 1, axis=1)[:, :count]
    return float((labels[near] == labels[:, None]).mean())


Method = Literal["pca", "t-sne"]
