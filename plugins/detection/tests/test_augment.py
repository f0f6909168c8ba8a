"""Augmented images and boxes stay together, and what is drawn is a function of its generator."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torchvision import tv_tensors  # type: ignore[import-untyped]
from torchvision.transforms.v2 import functional as change  # type: ignore[import-untyped]

from dlkit_detection.augment import VISIBLE, MoveAndLight, _moved, build_augment
from dlkit_detection.options import Augmentation


def scene(x1: int, y1: int, x2: int, y2: int) -> dict[str, Tensor]:
    """A bright rectangle on black, 60×48, and a padded row without an object."""
    image = torch.zeros(1, 1, 48, 60)
    image[:, :, y1:y2, x1:x2] = 1.0
    boxes = torch.tensor([[[x1, y1, x2, y2], [0, 0, 0, 0]]], dtype=torch.float32)
    return {"image": image, "boxes": boxes, "labels": torch.tensor([[2, -1]])}


def drawn(augment: MoveAndLight, seed: int, count: int = 1) -> dict[str, Tensor]:
    return {name: torch.from_numpy(v) for name, v in augment.draw(np.random.default_rng(seed), count).items()}


@settings(max_examples=60, deadline=None)
@given(
    x=st.integers(0, 40),
    y=st.integers(0, 30),
    width=st.integers(8, 20),
    height=st.integers(8, 18),
    seed=st.integers(0, 999),
)
def test_the_box_goes_where_the_object_goes(x: int, y: int, width: int, height: int, seed: int) -> None:
    batch = scene(x, y, x + width, y + height)
    augment = MoveAndLight(flip=True, zoom=(0.7, 1.5), shift=0.3, light=0.0)
    changed = augment.apply(batch, drawn(augment, seed))
    assert changed["image"].shape == batch["image"].shape and changed["labels"][0, 1] == -1
    if changed["labels"][0, 0] < 0:
        return
    bright = changed["image"][0, 0] > 0.5
    rows, columns = bright.any(1).nonzero().flatten(), bright.any(0).nonzero().flatten()
    found = torch.tensor([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]).float()
    assert (changed["boxes"][0, 0] - found).abs().max() <= 1.5
    assert (changed["boxes"][0, 0] >= 0).all() and (changed["boxes"][0, 0] <= torch.tensor([60, 48, 60, 48])).all()


def test_an_object_that_has_nearly_left_is_none() -> None:
    batch = scene(40, 10, 58, 28)
    augment = MoveAndLight(flip=False, zoom=(1.0, 1.0), shift=0.5, light=0.0)
    still = torch.ones(1)
    away = augment.apply(batch, {"zoom": still, "shift": torch.tensor([[0.3, 0.0]])})
    assert away["labels"].tolist() == [[-1, -1]]
    partly = augment.apply(batch, {"zoom": still, "shift": torch.tensor([[0.1, 0.0]])})
    assert partly["labels"].tolist() == [[2, -1]] and partly["boxes"][0, 0].tolist() == pytest.approx([46, 10, 60, 28])
    assert VISIBLE * 18 * 18 < 14 * 18


def test_twice_flipped_is_as_before_and_light_moves_nothing() -> None:
    batch = scene(5, 6, 20, 30)
    flip = MoveAndLight(flip=True, zoom=(1.0, 1.0), shift=0.0, light=0.0)
    once = flip.apply(batch, {"flip": torch.tensor([True])})
    assert once["boxes"][0, 0].tolist() == [40, 6, 55, 30] and not torch.equal(once["image"], batch["image"])
    twice = flip.apply(once, {"flip": torch.tensor([True])})
    assert all(torch.equal(twice[key], batch[key]) for key in batch)
    light = MoveAndLight(flip=False, zoom=(1.0, 1.0), shift=0.0, light=0.5)
    lit = light.apply(batch, drawn(light, 3))
    assert torch.equal(lit["boxes"], batch["boxes"]) and not torch.equal(lit["image"], batch["image"])


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    size=st.sampled_from([(48, 60), (64, 64), (37, 53)]),
    count=st.integers(1, 5),
    objects=st.integers(0, 3),
)
def test_whole_batches_move_as_torchvision_moves_one(
    seed: int, size: tuple[int, int], count: int, objects: int
) -> None:
    """To the bit, so that runs from before go on exactly."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(count, 3, *size, generator=generator)
    boxes = torch.rand(count, objects, 4, generator=generator).cumsum(2) * 20
    zoom, shift = torch.rand(count, generator=generator) + 0.5, torch.rand(count, 2, generator=generator) - 0.5
    found = _moved(images, boxes, zoom, shift)
    for i in range(count):
        across, down = shift[i].tolist()
        translate = [across * size[1], down * size[0]]
        how = {"angle": 0.0, "translate": translate, "scale": zoom[i].item(), "shear": [0.0, 0.0]}
        image = change.affine(images[i], **how, interpolation=change.InterpolationMode.BILINEAR)
        corners = tv_tensors.BoundingBoxes(boxes[i], format="XYXY", canvas_size=size, clamping_mode=None)
        assert torch.equal(found[0][i], image)
        assert torch.equal(found[1][i], change.affine(corners, **how).as_subclass(Tensor))


def test_images_of_a_batch_are_changed_each_in_its_own_way() -> None:
    one = scene(20, 16, 36, 32)
    batch = {key: value.repeat(16, *[1] * (value.dim() - 1)) for key, value in one.items()}
    augment = build_augment(Augmentation(flip=True, zoom=(0.8, 1.2), shift=0.2, light=0.3))
    assert augment is not None
    values = drawn(augment, 0, 16)
    changed = augment.apply(batch, values)
    assert len({tuple(box) for box in changed["boxes"][:, 0].tolist()}) > 10
    alone = augment.apply(one, {name: value[7:8] for name, value in values.items()})
    torch.testing.assert_close(alone["image"][0], changed["image"][7])
    assert torch.equal(alone["boxes"][0], changed["boxes"][7])


def test_nothing_asked_for_is_nothing() -> None:
    assert build_augment(Augmentation()) is None
    assert build_augment(Augmentation(light=0.1)) is not None
