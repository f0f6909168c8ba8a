"""Augmentation: what it leaves alone, what it moves where, and that ranks see slices of one draw."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from dlkit.errors import UsageError
from dlkit_classification.augment import FlipCropCutout, build_augment
from dlkit_classification.options import Augmentation


@st.composite
def cases(draw: st.DrawFn, **fixed: Any) -> tuple[FlipCropCutout, Tensor, dict[str, Tensor]]:
    """An augmentation, images [N,C,H,W] and what was drawn for them."""
    height, width = draw(st.integers(4, 9)), draw(st.integers(4, 9))
    options = {
        "flip": st.booleans(),
        "crop": st.integers(0, 3),
        "padding": st.sampled_from(["reflect", "zero"]),
        "cutout": st.integers(0, 3),
    }
    chosen = {name: fixed.get(name, draw(strategy)) for name, strategy in options.items()}
    augment = FlipCropCutout(height, width, **chosen)  # type: ignore[arg-type]
    generator = np.random.default_rng(draw(st.integers(0, 2**31)))
    shape = (draw(st.integers(1, 6)), draw(st.sampled_from([1, 3])), height, width)
    images = torch.from_numpy(generator.uniform(1, 2, shape).astype(np.float32))  # no zeros of their own
    drawn = augment.draw(generator, shape[0])
    return augment, images, {name: torch.from_numpy(values) for name, values in drawn.items()}


def applied(augment: FlipCropCutout, images: Tensor, drawn: dict[str, Tensor]) -> Tensor:
    batch = {"image": images, "label": torch.arange(len(images))}
    changed = augment.apply(batch, drawn)
    assert torch.equal(changed["label"], batch["label"])
    return changed["image"]


@given(cases())
def test_it_is_a_plain_pad_crop_flip_and_blank(case: tuple[FlipCropCutout, Tensor, dict[str, Tensor]]) -> None:
    augment, images, drawn = case
    before = images.clone()
    found = applied(augment, images, drawn)
    mode = "reflect" if augment.padding == "reflect" else "constant"
    for i, image in enumerate(images):
        expected = image
        if augment.crop:
            padded = F.pad(image[None], [augment.crop] * 4, mode)[0]
            y, x = (drawn["shift"][i] + augment.crop).tolist()
            expected = padded[:, y : y + augment.size[0], x : x + augment.size[1]]
        if augment.flip and drawn["flip"][i]:
            expected = expected.flip(2)
        if augment.cutout:
            top, left = drawn["corner"][i].tolist()
            expected = expected.clone()
            expected[:, top : top + augment.cutout, left : left + augment.cutout] = 0
        assert torch.equal(found[i], expected)
    assert torch.equal(images, before)


@given(cases(flip=False, crop=0, cutout=0))
def test_nothing_asked_is_the_identity(case: tuple[FlipCropCutout, Tensor, dict[str, Tensor]]) -> None:
    augment, images, drawn = case
    assert drawn == {}
    assert torch.equal(applied(augment, images, drawn), images)


@given(cases(flip=True, crop=0, cutout=0))
def test_flipping_twice_is_the_identity(case: tuple[FlipCropCutout, Tensor, dict[str, Tensor]]) -> None:
    augment, images, drawn = case
    assert torch.equal(applied(augment, applied(augment, images, drawn), drawn), images)


@given(cases(), st.integers(0, 6), st.integers(0, 6))
def test_a_rank_sees_its_slice_of_one_draw(
    case: tuple[FlipCropCutout, Tensor, dict[str, Tensor]], first: int, last: int
) -> None:
    augment, images, drawn = case
    whole = applied(augment, images, drawn)
    part = slice(first, last)
    mine = applied(augment, images[part], {name: values[part] for name, values in drawn.items()})
    assert mine.shape == whole[part].shape and torch.equal(mine, whole[part])


@given(cases(), st.integers(0, 2**31))
def test_what_is_drawn_is_a_function_of_the_generator(
    case: tuple[FlipCropCutout, Tensor, dict[str, Tensor]], seed: int
) -> None:
    augment, images, _ = case
    one, other = (
        {name: torch.from_numpy(v) for name, v in augment.draw(np.random.default_rng(seed), len(images)).items()}
        for _ in range(2)
    )
    assert torch.equal(applied(augment, images, one), applied(augment, images, other))


def test_shifts_and_squares_reach_every_place() -> None:
    augment = FlipCropCutout(6, 8, flip=True, crop=2, padding="zero", cutout=3)
    drawn = augment.draw(np.random.default_rng(0), 2000)
    assert [np.unique(drawn["shift"][:, axis]).tolist() for axis in (0, 1)] == [[-2, -1, 0, 1, 2]] * 2
    assert [np.unique(drawn["corner"][:, axis]).tolist() for axis in (0, 1)] == [list(range(4)), list(range(6))]
    assert 0.45 < drawn["flip"].mean() < 0.55


def test_channels_last_images_give_the_same() -> None:
    augment = FlipCropCutout(8, 8, flip=True, crop=2, padding="reflect", cutout=2)
    images = torch.rand(5, 3, 8, 8)
    drawn = {name: torch.from_numpy(v) for name, v in augment.draw(np.random.default_rng(0), 5).items()}
    other = images.contiguous(memory_format=torch.channels_last)
    assert torch.equal(applied(augment, images, drawn), applied(augment, other, drawn))


def test_options_that_ask_for_nothing_build_nothing() -> None:
    assert build_augment(Augmentation(), 8, 8) is None


@pytest.mark.parametrize("name", ["crop", "cutout"])
def test_more_than_the_image_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match=f"dataset.{name} = 8: less than the images' 8 pixels"):
        build_augment(Augmentation.model_validate({name: 8}), 8, 9)


def test_a_random_part_is_enlarged_and_nothing_else_happens() -> None:
    """Of a ramp from left to right a part has a lesser slope, by the factor, and keeps what lies in its middle."""
    ramp = torch.linspace(-1, 1, 33)[None, None, None].expand(200, 3, 33, 33).contiguous()
    augment = FlipCropCutout(33, 33, flip=False, crop=0, padding="reflect", cutout=0, zoom=3.0)
    drawn = {name: torch.from_numpy(values) for name, values in augment.draw(np.random.default_rng(0), 200).items()}
    seen = augment.apply({"image": ramp}, drawn)["image"]
    share, _, x = drawn["part"].unbind(1)
    assert 1 / 3 <= float(share.min()) < 0.4 and 0.9 < float(share.max()) <= 1
    assert ((x.abs() + share) <= 1 + 1e-6).all(), "a part lies inside the image"
    inner = seen[:, 0, 16, 8:25]
    assert torch.allclose(inner[:, -1] - inner[:, 0], share, atol=0.02)
    assert torch.allclose(inner[:, 8], x * 33 / 32, atol=0.02)
    whole = augment.apply({"image": ramp}, {"part": torch.tensor([[1.0, 0.0, 0.0]]).expand(200, 3)})["image"]
    assert torch.allclose(whole, ramp, atol=1e-5)
