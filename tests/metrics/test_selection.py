"""Mistakes first, the surest above; some of a split, always the same."""

from __future__ import annotations

import numpy as np
import torch

from dlkit.metrics.selection import evenly_spaced, some_indices, worst_first


def test_mistakes_first() -> None:
    wrong = torch.tensor([False, True, False, True, False])
    sure = torch.tensor([0.9, 0.5, 0.3, 0.8, 0.3])
    assert worst_first(wrong, sure).tolist() == [3, 1, 2, 4, 0]
    assert worst_first(wrong, sure, right=torch.tensor([0.1, 0.0, 0.9, 0.0, 0.5])).tolist() == [3, 1, 0, 4, 2]


def test_small_differences_count() -> None:
    sure = torch.tensor([1e-8, 2e-8, 3e-8])
    assert worst_first(torch.ones(3, dtype=torch.bool), sure).tolist() == [2, 1, 0]
    assert worst_first(torch.zeros(3, dtype=torch.bool), sure).tolist() == [0, 1, 2]


def test_some_of_a_split() -> None:
    found = some_indices(100, 10, np.random.default_rng(0))
    assert len(found) == len(set(found.tolist())) == 10 and bool((found.diff() > 0).all())
    assert some_indices(3, 10, np.random.default_rng(0)).tolist() == [0, 1, 2]


def test_from_all_over_a_split() -> None:
    assert evenly_spaced(101, 3).tolist() == [0, 50, 100]
    assert evenly_spaced(2, 8).tolist() == [0, 1]
    assert evenly_spaced((1 << 24) + 4, 2).tolist() == [0, (1 << 24) + 3]
