"""The constant answer is made of rows that belong together, also where samples are made when they are asked for."""

from __future__ import annotations

import pytest
import torch

from dlkit.data.splits import Batch, TensorSplit
from dlkit_localization.outputs import constant, parts

COUNT = 600


def split(*, transformed: bool) -> TensorSplit:
    """Every other image has an object in the middle, of class 1; in the others nothing is anywhere."""
    there = torch.arange(COUNT) % 2 == 0
    middle = torch.tensor([0.5, 0.5, 0.2, 0.2])
    columns = {
        "image": torch.zeros(COUNT, 3, 2, 2, dtype=torch.uint8),
        "present": there.float(),
        "box": there[:, None] * middle,
        "label": there.long(),
    }
    return TensorSplit(columns, transform=_to_floats if transformed else None)


def _to_floats(batch: Batch) -> Batch:
    return {**batch, "image": batch["image"].float() / 255}


@pytest.mark.parametrize("transformed", [False, True])
def test_where_objects_are_and_what(transformed: bool) -> None:
    train = split(transformed=transformed)
    found = parts(constant(train, 3)(train.take(torch.arange(4))))
    assert found.present.abs().max() < 0.05  # as often as not
    assert torch.allclose(found.box, torch.tensor([0.5, 0.5, 0.2, 0.2]).expand(4, 4))
    assert found.classes.argmax(1).tolist() == [1] * 4
