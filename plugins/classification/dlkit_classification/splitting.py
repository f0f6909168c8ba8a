"""Stratified splits: every part holds the classes in the proportions of the whole."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dlkit.data.randomness import rng

Indices = npt.NDArray[np.int64]


def stratified(labels: npt.NDArray[np.int64], count: int, seed: int, purpose: str) -> tuple[Indices, Indices]:
    """(rest, chosen): ``count`` samples drawn from the classes in proportion, both as sorted indices.

    Shares are rounded by largest remainder, so that ``chosen`` has exactly ``count``, as long as every class can keep
    one in the rest. The same for the same labels, count, seed and purpose.
    """
    classes, sizes = np.unique(labels, return_counts=True)
    quotas = _quotas(sizes, count)
    generator = rng(seed, "split", purpose)
    chosen = [
        generator.permutation(np.flatnonzero(labels == label))[:quota]
        for label, quota in zip(classes, quotas, strict=True)
    ]
    mask = np.zeros(len(labels), bool)
    mask[np.concatenate(chosen)] = True
    return np.flatnonzero(~mask), np.flatnonzero(mask)


def _quotas(sizes: Indices, count: int) -> Indices:
    """How many of each class: proportional, adding up to ``count`` as far as the classes can spare them."""
    exact = sizes * (count / sizes.sum())
    room = sizes - 1
    quotas: Indices = np.minimum(np.floor(exact).astype(np.int64), room)
    for _ in range(min(count, room.sum()) - quotas.sum()):
        quotas[np.where(quotas < room, exact - quotas, -np.inf).argmax()] += 1
    return quotas
