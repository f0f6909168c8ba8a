"""The closer look at the object."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dlkit_localization.glimpse import Glimpse, cut_out
from dlkit_localization.info import LocalizationInfo
from dlkit_localization.options import SpotlightConfig
from dlkit_localization.spotlight import Spotlight

HEIGHT, WIDTH = 48, 60


def ramps() -> torch.Tensor:
    """Two channels that say of each pixel where its centre is, in pixels: bilinear reading is exact on them."""
    x = (torch.arange(WIDTH) + 0.5).expand(HEIGHT, WIDTH)
    y = (torch.arange(HEIGHT) + 0.5)[:, None].expand(HEIGHT, WIDTH)
    return torch.stack([x, y])[None]


@given(
    st.floats(0.4, 0.6),
    st.floats(0.4, 0.6),
    st.floats(0.1, 0.5),
    st.floats(0.1, 0.4),
    st.integers(4, 32),
)
def test_a_cut_out_is_the_square_around_the_box(x: float, y: float, across: float, down: float, side: int) -> None:
    found = cut_out(ramps(), torch.tensor([[x, y, across, down]]), side)[0]
    square = 1.2 * max(across * WIDTH, down * HEIGHT)
    steps = ((torch.arange(side) + 0.5) / side - 0.5) * square
    inside_x = (x * WIDTH + steps > 1) & (x * WIDTH + steps < WIDTH - 1)
    inside_y = (y * HEIGHT + steps > 1) & (y * HEIGHT + steps < HEIGHT - 1)
    assert found.shape == (2, side, side)
    whole = found[:, inside_y][:, :, inside_x]
    torch.testing.assert_close(
        whole[0], (x * WIDTH + steps)[inside_x].expand(int(inside_y.sum()), -1), atol=2e-3, rtol=0
    )
    torch.testing.assert_close(
        whole[1], (y * HEIGHT + steps)[inside_y][:, None].expand(-1, int(inside_x.sum())), atol=2e-3, rtol=0
    )


@given(st.floats(0.0, 0.3), st.integers(0, 2**32))
def test_jitter_stays_within_its_bounds(jitter: float, seed: int) -> None:
    """Distances of the corners' points from one another say how it was resized, their angle how it was turned."""
    torch.manual_seed(seed)
    found = cut_out(ramps(), torch.tensor([[0.5, 0.5, 0.2, 0.25]]), 9, jitter)[0].double()
    square, middle, edge = 1.2 * 12, found[:, 4, 4], found[:, 4, 8] - found[:, 4, 0]
    size, turn = edge.norm() / (square * 8 / 9), torch.atan2(edge[1], edge[0])
    slack = 1e-3
    assert -jitter - slack <= size.log() <= jitter + slack and turn.abs() <= jitter + slack
    moved = (middle - torch.tensor([WIDTH / 2, HEIGHT / 2])).abs() / square
    assert moved.max() <= jitter / 2 * 2**0.5 + slack
    if jitter == 0:
        torch.testing.assert_close(middle, torch.tensor([WIDTH / 2, HEIGHT / 2]).double(), atol=1e-3, rtol=0)


def test_beyond_the_image_is_nothing() -> None:
    corner = cut_out(torch.ones(1, 1, HEIGHT, WIDTH), torch.tensor([[0.0, 0.0, 0.2, 0.2]]), 8)[0, 0]
    assert corner[:3, :3].eq(0).all() and corner[5:, 5:].eq(1).all()


@pytest.mark.parametrize("box", [[0.5, 0.5, 0.0, 0.0], [0.5, 0.5, -3.0, -1.0], [7.0, -9.0, 40.0, 2.0]])
def test_a_box_that_means_nothing_yet_can_be_looked_at(box: list[float]) -> None:
    assert cut_out(torch.randn(1, 1, HEIGHT, WIDTH), torch.tensor([box]), 28).isfinite().all()


@pytest.mark.parametrize(("side", "widths"), [(28, [4, 8, 8]), (15, [4, 4]), (1, [4])])
def test_the_features_are_as_many_as_announced(side: int, widths: list[int]) -> None:
    glimpse = Glimpse(3, widths, side)
    assert glimpse(torch.randn(2, 3, side, side)).shape == (2, glimpse.features)


@pytest.mark.parametrize("glimpse", [0, 12])
def test_the_box_learns_nothing_from_the_classes(glimpse: int) -> None:
    """Where to look is the box's own affair; with and without a closer look, classes still train the trunk."""
    config = SpotlightConfig(stem_width=8, widths=[8, 8], blocks=[0, 0], neck=8, glimpse=glimpse, glimpse_widths=[4])
    one = np.ones(1, np.float32)
    model = Spotlight(config, LocalizationInfo(classes=["a", "b"], shape=(1, HEIGHT, WIDTH), mean=one, std=one))
    assert (model.glimpse is None) == (glimpse == 0)
    model(torch.randn(4, 1, HEIGHT, WIDTH))[:, 5:].square().sum().backward()
    offsets = model.grid.weight.grad
    assert offsets is not None and offsets[5:].eq(0).all(), "offsets of the sides"
    assert model.stem[0].weight.grad.ne(0).any()
