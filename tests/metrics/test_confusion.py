"""The confusion matrix counts every pair of labels."""

from __future__ import annotations

import torch

from dlkit.metrics.confusion import Confusion


def test_rows_are_true_and_columns_predicted() -> None:
    confusion = Confusion(3)
    assert confusion.matrix().tolist() == [[0] * 3] * 3
    true, predicted = torch.tensor([0, 0, 2, 2]), torch.tensor([0, 1, 2, 1])
    for rows in (slice(0, 1), slice(1, 4)):
        confusion.update(predicted[rows], true[rows])
    assert confusion.matrix().tolist() == [[1, 1, 0], [0, 0, 0], [0, 1, 1]]
    confusion.reduce(lambda counts: None if counts is None else 2 * counts)
    assert int(confusion.matrix().sum()) == 8


def test_counting_needs_no_value_of_the_device() -> None:
    """On the device without values, whatever waits for one fails."""
    confusion = Confusion(2)
    confusion.update(torch.zeros(4, dtype=torch.int64, device="meta"), torch.zeros(4, dtype=torch.int64, device="meta"))
