"""Mirroring: images and boxes together, twice is the identity, and a rank sees its slice of one draw."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from dlkit_localization.augment import Mirror, Move
from dlkit_localization.outputs import corners

few = settings(max_examples=25, deadline=None)


def batch_of(count: int, seed: int) -> dict[str, Tensor]:
    """Images with one bright rectangle where their box says, or none."""
    generator = np.random.default_rng(seed)
    images, boxes = torch.zeros(count, 2, 10, 16), torch.zeros(count, 4)
    present = torch.from_numpy(generator.random(count) < 0.7).float()
    for i in range(count):
        x, y = int(generator.integers(0, 10)), int(generator.integers(0, 6))
        if present[i]:
            images[i, :, y : y + 4, x : x + 6] = 1
            boxes[i] = torch.tensor([(x + 3) / 16, (y + 2) / 10, 6 / 16, 4 / 10])
    return {"image": images, "present": present, "box": boxes, "label": present.long() - 1}


def applied(batch: dict[str, Tensor], flip: Tensor) -> dict[str, Tensor]:
    return Mirror().apply(batch, {"flip": flip})


@few
@given(st.integers(1, 8), st.integers(0, 999))
def test_boxes_stay_on_their_objects(count: int, seed: int) -> None:
    batch = batch_of(count, seed)
    flip = torch.from_numpy(Mirror().draw(np.random.default_rng(seed), count)["flip"])
    found = applied(batch, flip)
    for image, box, present in zip(found["image"], found["box"], found["present"], strict=True):
        columns = image.sum((0, 1)).nonzero().flatten()
        if present:
            assert torch.allclose(box[0] * 16, (columns.min() + columns.max() + 1) / 2)
        else:
            assert not box.any()
    assert torch.equal(found["label"], batch["label"])
    twice = applied(found, flip)
    assert torch.equal(twice["image"], batch["image"]) and torch.allclose(twice["box"], batch["box"])


@few
@given(st.integers(0, 8), st.integers(0, 8), st.integers(0, 999))
def test_a_rank_sees_its_slice_of_one_draw(first: int, last: int, seed: int) -> None:
    batch, part = batch_of(8, seed), slice(first, last)
    flip = torch.from_numpy(Mirror().draw(np.random.default_rng(seed), 8)["flip"])
    whole = applied(batch, flip)
    mine = applied({name: column[part] for name, column in batch.items()}, flip[part])
    assert all(torch.equal(mine[name], whole[name][part]) for name in batch)


def test_half_are_mirrored() -> None:
    drawn = Mirror().draw(np.random.default_rng(0), 4000)["flip"]
    assert 0.47 < drawn.mean() < 0.53


@few
@given(st.integers(1, 12), st.integers(0, 999))
def test_moved_boxes_stay_on_their_objects_inside_the_image(count: int, seed: int) -> None:
    batch = batch_of(count, seed)
    batch["image"] = batch["image"] + torch.where(batch["image"] > 0, 0.0, 0.1) * torch.rand(batch["image"].shape)
    move = Move(10, 16)
    drawn = {name: torch.from_numpy(v) for name, v in move.draw(np.random.default_rng(seed), count).items()}
    found = move.apply(batch, drawn)
    assert torch.equal(found["image"].flatten(1).sort().values, batch["image"].flatten(1).sort().values)
    for image, box, present in zip(found["image"], found["box"], found["present"], strict=True):
        y, x = (image[0] == 1).nonzero(as_tuple=True)
        if present:
            edges = [float(v) for v in (x.min(), y.min(), x.max() + 1, y.max() + 1)]
            assert corners(box[None], 10, 16)[0].tolist() == pytest.approx(edges, abs=1e-4)
            assert len(x) == 24
        else:
            assert not box.any()


def test_objects_move_everywhere_within_the_margin() -> None:
    batch = {name: column[:1].expand(3000, *column.shape[1:]) for name, column in one_object().items()}
    move = Move(10, 16)
    drawn = {name: torch.from_numpy(v) for name, v in move.draw(np.random.default_rng(0), 3000).items()}
    places = corners(move.apply(batch, drawn)["box"], 10, 16).round().int()
    x, counts = places[:, 0].unique(return_counts=True)
    assert x.tolist() == list(range(1, 10)) and counts.min() > 250  # 16 wide, the object 6, a pixel about it
    assert places[:, 1].unique().tolist() == list(range(1, 6))


def one_object() -> dict[str, Tensor]:
    image = torch.zeros(1, 1, 10, 16)
    image[0, 0, 3:7, 4:10] = 1
    box = torch.tensor([[7 / 16, 5 / 10, 6 / 16, 4 / 10]])
    return {"image": image, "present": torch.ones(1), "box": box, "label": torch.zeros(1, dtype=torch.int64)}


def test_an_empty_canvas_moves_anywhere() -> None:
    batch = one_object()
    batch = {**batch, "present": torch.zeros(1), "box": torch.zeros(1, 4)}
    batch = {name: column.expand(2000, *column.shape[1:]) for name, column in batch.items()}
    move = Move(10, 16)
    drawn = {name: torch.from_numpy(v) for name, v in move.draw(np.random.default_rng(0), 2000).items()}
    found = move.apply(batch, drawn)
    assert not found["box"].any()
    first = found["image"].flatten(1)[:, 0]
    assert 0.05 < first.mean() < 0.25  # 24 of 160 places are the object's
