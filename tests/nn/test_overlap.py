"""Overlap losses are torchvision's, to the bit, with their gradients."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torchvision.ops import complete_box_iou_loss, generalized_box_iou_loss  # type: ignore[import-untyped]

from dlkit.nn.overlap import ciou_loss, giou_loss

Loss = Callable[[Tensor, Tensor], Tensor]


def boxes(generator: torch.Generator) -> Tensor:
    corner, size = torch.rand(2, 5, 9, 2, generator=generator)
    return torch.cat([corner, corner + size * 0.6 + 1e-3], -1)


def with_gradient(loss: Loss, found: Tensor, true: Tensor) -> tuple[Tensor, Tensor]:
    found = found.clone().requires_grad_()
    value = loss(found, true)
    value.sum().backward()  # type: ignore[no-untyped-call]
    assert found.grad is not None
    return value, found.grad


@pytest.mark.parametrize(
    ("ours", "theirs"), [(ciou_loss, complete_box_iou_loss), (giou_loss, generalized_box_iou_loss)]
)
@given(seed=st.integers(0, 2**31), apart=st.sampled_from([0.0, 0.3, 2.0]))
@settings(deadline=None, max_examples=30)
def test_they_are_torchvisions(ours: Loss, theirs: Loss, seed: int, apart: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    found, true = boxes(generator), boxes(generator) + apart
    for mine, other in zip(with_gradient(ours, found, true), with_gradient(theirs, found, true), strict=True):
        assert torch.equal(mine, other)


def test_half_precision_is_computed_in_float32() -> None:
    generator = torch.Generator().manual_seed(0)
    found, true = boxes(generator).bfloat16(), boxes(generator).bfloat16()
    assert ciou_loss(found, true).dtype == torch.float32
    assert torch.equal(giou_loss(found, true), generalized_box_iou_loss(found, true))
