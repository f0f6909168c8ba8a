"""Sums over batches and processes."""

from __future__ import annotations

import torch
from torch import Tensor

from dlkit.metrics.total import Total, reduce_all


def test_batches_add_up() -> None:
    total = Total()
    assert total.value is None and total.numbers() == []
    for count in (1, 2):
        total.add(torch.tensor([count, 10.0]))
    assert total.numbers() == [3.0, 20.0]


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
