"""Images are mirrored with their boxes, and pixels come from where they are asked for."""

from __future__ import annotations

import numpy as np
import torch

from dlkit.data.augment import Mirror, coin, mirrored, mirrored_boxes, pick_pixels


def test_half_of_the_images_are_mirrored() -> None:
    drawn = Mirror().draw(np.random.default_rng(0), 1000)["mirror"]
    assert 0.3 < drawn.mean() < 0.7
    assert np.array_equal(drawn, coin(np.random.default_rng(0), 1000))


def test_only_the_chosen_images_are_mirrored() -> None:
    image = torch.arange(2 * 3 * 4 * 5.0).view(2, 3, 4, 5)
    which = torch.tensor([True, False])
    changed = Mirror().apply({"image": image, "label": torch.tensor([7, 8])}, {"mirror": which})
    assert torch.equal(changed["image"][0], image[0].flip(2)) and torch.equal(changed["image"][1], image[1])
    assert changed["label"].tolist() == [7, 8]


def test_a_mirrored_box_is_on_its_mirrored_object() -> None:
    image = torch.zeros(2, 1, 6, 10)
    image[:, :, 1:3, 2:5] = 1
    boxes = torch.tensor([[[2.0, 1.0, 5.0, 3.0]]]).repeat(2, 1, 1)
    which = torch.tensor([True, False])
    changed, moved = mirrored(image, which), mirrored_boxes(boxes, which, 10)
    assert moved.tolist() == [[[5.0, 1.0, 8.0, 3.0]], [[2.0, 1.0, 5.0, 3.0]]]
    for picture, (x1, y1, x2, y2) in zip(changed[:, 0], moved[:, 0].int().tolist(), strict=True):
        assert bool(picture[y1:y2, x1:x2].all()) and float(picture.sum()) == 6


def test_pixels_come_from_their_rows_and_columns() -> None:
    images = torch.rand(3, 2, 5, 7, requires_grad=True)
    rows, columns = torch.randint(5, (3, 4)), torch.randint(7, (3, 6))
    picked = pick_pixels(images, rows, columns)
    assert picked.shape == (3, 2, 4, 6)
    for n in range(3):
        assert torch.equal(picked[n], images[n][:, rows[n]][:, :, columns[n]])
    picked.sum().backward()
    assert images.grad is not None and float(images.grad.sum()) == picked.numel()


def test_a_rank_may_have_no_image_of_a_batch() -> None:
    none = torch.empty(0, 4, dtype=torch.int64)
    assert pick_pixels(torch.empty(0, 3, 4, 4), none, none).shape == (0, 3, 4, 4)
