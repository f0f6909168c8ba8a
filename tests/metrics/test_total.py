"""Sums over batches and processes."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from dlkit.metrics.total import Total, reduce_all


def test_batches_add_up() -> None:
    total = Total()
    assert total.value is None and total.numbers() == []
    for count in (1, 2):
        total.add(torch.tensor([count, 10.0]))
    assert total.numbers() == [3.0, 20.0]


def test_many_batches_add_up_exactly() -> None:
    """In float32 these came to 999.9 and 16,777,216."""
    total = Total()
    for _ in range(10_000):
        total.add(torch.tensor([0.1, 2000.0]))
    assert total.numbers() == [pytest.approx(1000, rel=1e-7), 20_000_000]


def test_sums_are_told_in_the_precision_of_what_was_added() -> None:
    total, fine = Total(), Total()
    for number in (0.1, 0.2):
        total.add(torch.tensor(number))
        fine.add(torch.tensor(number, dtype=torch.float64))
    assert total.numbers() == [float(torch.tensor(0.1) + torch.tensor(0.2))]
    assert fine.numbers() == [0.1 + 0.2]


def test_processes_add_up_even_where_one_saw_nothing() -> None:
    asked: list[Tensor | None] = []

    def over_ranks(value: Tensor | None) -> Tensor | None:
        asked.append(value)
        return torch.tensor([5.0])

    seen, unseen = Total(), Total()
    seen.add(torch.tensor([1.0]))
    reduce_all([seen, unseen], over_ranks)
    assert asked[1] is None and seen.numbers() == unseen.numbers() == [5.0]


def test_a_single_number() -> None:
    total = Total()
    total.add(torch.tensor(2))
    assert total.numbers() == [2.0]
