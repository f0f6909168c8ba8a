"""The judge: what it knows, what it learns, and the distance that is made of its features."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm
from torch import Tensor

from dlkit.data.context import Context
from dlkit.data.digits import digit_parts
from dlkit.data.unlabelled import sized
from dlkit_gan.info import GanInfo
from dlkit_gan.judge import (
    FEATURES,
    TURNS,
    Judge,
    Moments,
    flattened,
    frechet,
    of_digits,
    of_info,
    of_turns,
    prepared,
    restored,
    scaled,
    told_right,
)  # fmt: skip

SMALL = 6


def moments(values: np.ndarray) -> Moments:
    found = Moments()
    for part in torch.from_numpy(values).split(7):
        found.update(part)
    return found


@pytest.fixture(scope="module")
def judge() -> Judge:
    return restored(of_digits(), 1, 10)


def test_it_knows_digits_of_every_size(judge: Judge, tmp_path: Path) -> None:
    """scikit-learn's, which it was not trained on."""
    test = digit_parts("digits", Context(tmp_path))["test"]
    for size in (28, 32, 64):
        images = torch.from_numpy(sized(test.images, size)[:, None])
        guessed = judge(prepared(images, "digits")).argmax(1)
        assert (guessed == torch.from_numpy(test.labels)).float().mean() > 0.98
        assert judge.features(prepared(images, "digits")).shape == (len(images), FEATURES)


def test_a_border_is_no_difference(judge: Judge, tmp_path: Path) -> None:
    images = digit_parts("digits", Context(tmp_path))["val"].images[:5]
    small, large = (prepared(torch.from_numpy(sized(images, size)[:, None]), "digits") for size in (28, 32))
    assert torch.equal(small, large)


def test_it_learns_turns() -> None:
    """The same ones every time, and well enough to tell how images that are bright above were turned."""
    noise = np.random.default_rng(0).normal(0, 20, (32, 3, 32, 32))
    images = (np.linspace(220, 30, 32)[:, None] + noise).clip(0, 255).astype(np.uint8)
    weights = of_turns(images, steps=40)
    assert np.array_equal(weights, of_turns(images, steps=40))
    judge = restored(weights, 3, 4)
    turned = torch.cat([torch.from_numpy(images).rot90(turn, (2, 3)) for turn in range(4)])
    right = judge(prepared(turned, "turns")).argmax(1) == torch.arange(4).repeat_interleave(len(images))
    assert right.float().mean() > 0.9
    assert told_right(judge, images) == pytest.approx(float(right.float().mean()), abs=1e-6)


def test_images_are_judged_at_their_own_size() -> None:
    """A pattern of single pixels is grey at half the size, at which runs of before looked."""
    stripes = torch.zeros(2, 1, 64, 64, dtype=torch.uint8)
    stripes[:, :, :, ::2] = 255
    assert torch.equal(prepared(stripes, "turns", 64), scaled(stripes))
    small = prepared(stripes, "turns")
    assert small.shape[2] == 32 and float(small[:, :, 4:-4, 4:-4].abs().max()) < 0.1
    info = GanInfo(shape=(3, 64, 64), look="turns", classes=TURNS, judge=flattened(Judge(3, 4, 64)), side=64)
    assert of_info(info)(torch.zeros(2, 3, 64, 64)).shape == (2, 4)


@pytest.mark.parametrize("side", [0, 28, 32, 64])
def test_weights_come_back(side: int) -> None:
    judge = Judge(3, 4, side).eval()
    again = restored(flattened(judge), 3, 4, side)
    image = torch.rand(2, 3, side or 32, side or 32)
    assert torch.equal(judge(image), again(image))


@given(seed=st.integers(0, 2**31), one=st.integers(9, 40), other=st.integers(9, 40), shift=st.floats(-3, 3))
@settings(max_examples=25, deadline=None)
def test_the_distance_is_the_published_formula(seed: int, one: int, other: int, shift: float) -> None:
    """|μ₁ − μ₂|² + tr(Σ₁ + Σ₂ − 2 (Σ₁ Σ₂)^½), by NumPy and SciPy on the whole sets."""
    generator = np.random.default_rng(seed)
    sets = [generator.normal(size=(one, SMALL)), generator.normal(shift, 2, size=(other, SMALL))]
    means, covariances = [s.mean(0) for s in sets], [np.cov(s, rowvar=False) for s in sets]
    root = sqrtm(covariances[0] @ covariances[1]).real
    expected = ((means[0] - means[1]) ** 2).sum() + np.trace(covariances[0] + covariances[1] - 2 * root)
    found = frechet(*map(moments, sets))
    assert found == pytest.approx(expected, rel=1e-3, abs=1e-3)
    assert frechet(moments(sets[1]), moments(sets[0])) == pytest.approx(found, rel=1e-6, abs=1e-6)


def test_equal_sets_are_at_no_distance() -> None:
    values = np.random.default_rng(1).normal(size=(50, SMALL))
    assert frechet(moments(values), moments(values)) == pytest.approx(0, abs=1e-6)


def test_moments_add_up_over_processes() -> None:
    values = np.random.default_rng(2).normal(size=(60, SMALL))
    halves = [moments(values[:20]), moments(values[20:])]

    others: list[Tensor] = []

    def said(tensor: Tensor | None) -> Tensor | None:
        """What rank 1 has to add, in the order in which it is asked."""
        assert tensor is not None
        others.append(tensor)
        return tensor

    def over(tensor: Tensor | None) -> Tensor | None:
        """The sum over both, as rank 0 asks for it."""
        assert tensor is not None
        return tensor + others.pop(0)

    halves[1].reduce(said)
    whole = moments(values)
    halves[0].reduce(over)
    assert frechet(halves[0], whole) == pytest.approx(0, abs=1e-6)


def test_one_image_has_no_spread() -> None:
    with pytest.raises(ValueError, match="two samples"):
        frechet(moments(np.ones((1, SMALL))), moments(np.ones((5, SMALL))))
