"""How much a pair of words counts: word2vec's dynamic window, as a weight."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Distances = npt.NDArray[np.int64]
Weights = npt.NDArray[np.float64]


def pair_weight(distance: int | Distances, window: int, *, nearer: bool) -> Weights:
    """Formula (2): p(d) = (w + 1 − d) / w for words at a distance d of 1 … w, 0 beyond; without ``nearer`` 1 and 0.

    word2vec draws the window of each word from 1 … w, all equally likely (Mikolov et al. 2013, arXiv 1301.3781, section
    3.2), and then trains all pairs within it. p(d) is how often a pair is among them: to weight each pair with it makes
    the same gradient on average, without its variance, and all passages can share one matrix of weights.
    """
    inside = (np.asarray(distance) <= window) & (window > 0)
    weight = (window + 1 - np.asarray(distance)) / max(window, 1) if nearer else 1.0
    return np.where(inside, weight, 0.0)


def word_weight(before: int, after: int, *, nearer: bool) -> float:
    """Σ p(d) over all pairs in which a word is the input, wherever its outputs stand."""
    sides = [sum(pair_weight(d, window, nearer=nearer) for d in range(1, window + 1)) for window in (before, after)]
    return float(sides[0] + sides[1])


def pair_weights(before: int, passage: int, after: int, *, nearer: bool) -> Tensor:
    """p of each input (a word of a passage or around it) with each output (a word of the passage), float32 [W, P] with
    W = before + passage + after: a band along the diagonal, in whose middle, a word with itself, is 0."""
    place = np.arange(-before, passage + after)[:, None]
    distance = np.arange(passage)[None, :] - place  # positive: the input stands before the output
    ahead, behind = pair_weight(distance, before, nearer=nearer), pair_weight(-distance, after, nearer=nearer)
    band = np.where(distance > 0, ahead, behind)
    return torch.from_numpy(np.where(distance == 0, 0, band).astype(np.float32))
