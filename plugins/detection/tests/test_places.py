"""Which place answers for which object, and what the losses make of it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dlkit.errors import UsageError
from dlkit_detection import places as places_module
from dlkit_detection.ignored import ignored
from dlkit_detection.info import DetectionInfo
from dlkit_detection.losses import focal, grid
from dlkit_detection.models.grid import Grid
from dlkit_detection.models.pyramid import Pyramid
from dlkit_detection.options import FocalConfig, GridLossConfig, GridReluConfig, PyramidConfig
from dlkit_detection.places import assign, grid_places

PLACES = grid_places(2, 3, (20.0, 24.0))
"""Of an image of 60×48."""


def info(classes: int = 3, shape: tuple[int, int, int] = (1, 48, 60)) -> DetectionInfo:
    ones = np.ones(shape[0], np.float32)
    return DetectionInfo(classes=[str(i) for i in range(classes)], shape=shape, mean=ones, std=ones)


def objects(*rows: tuple[float, float, float, float, int]) -> tuple[torch.Tensor, torch.Tensor]:
    table = torch.tensor(rows, dtype=torch.float32).view(1, -1, 5)
    return table[..., :4], table[..., 4].long()


def test_the_cell_with_the_centre_answers_and_no_other() -> None:
    targets = assign(
        PLACES, *objects((21, 2, 37, 20, 1), (42, 30, 58, 46, 2), (0, 0, 0, 0, -1)), radius=0.5, inside=False
    )
    assert targets.positive.tolist() == [[False, True, False, False, False, True]]
    assert targets.boxes[0, 1].tolist() == [21, 2, 37, 20] and targets.labels[0].tolist() == [0, 1, 0, 0, 0, 2]
    assert targets.boxes[0, 0].tolist() == [0, 0, 20, 24]  # its own cell


def test_of_two_objects_in_a_cell_the_smaller_one_is_answered_for() -> None:
    targets = assign(PLACES, *objects((0, 0, 19, 19, 1), (5, 5, 15, 15, 2)), radius=0.5, inside=False)
    assert targets.labels[0, 0] == 2 and targets.positive.sum() == 1


@given(x=st.floats(0, 59.5, width=32), y=st.floats(0, 47.5, width=32), side=st.floats(2, 30, width=32))
def test_every_centre_in_the_image_has_exactly_one_cell(x: float, y: float, side: float) -> None:
    boxes, labels = objects((x - side / 2, y - side / 2, x + side / 2, y + side / 2, 0))
    centre = (boxes[0, 0, :2] + boxes[0, 0, 2:]) / 2
    count = int(assign(PLACES, boxes, labels, radius=0.5, inside=False).positive.sum())
    within = bool((centre >= 0).all() and centre[0] < 60 and centre[1] < 48)
    assert count == (1 if within else 0)


def test_levels_share_objects_by_size_and_points_lie_inside() -> None:
    fine, coarse = grid_places(12, 15, (4, 4), 0, 16), grid_places(6, 8, (8, 8), 16, math.inf)
    places = torch.cat([fine, coarse])
    small, large = (10, 10, 20, 22, 0), (30, 10, 50, 40, 1)
    targets = assign(places, *objects(small, large), radius=1.5, inside=True)
    labels = targets.labels[targets.positive]
    assert set(labels.tolist()) == {0, 1}
    for index in targets.positive[0].nonzero().flatten().tolist():
        x1, y1, x2, y2 = small[:4] if index < len(fine) else large[:4]
        assert x1 < places[index, 0] < x2 and y1 < places[index, 1] < y2
        assert targets.labels[0, index] == (0 if index < len(fine) else 1)


LEVELS = torch.cat([grid_places(20, 20, (8, 8), 0, 64), grid_places(10, 10, (16, 16), 64, math.inf)])
"""Of the suggested model at 160 × 160."""


def squares(side: float, count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """One object of this size an image, anywhere on 160 × 160."""
    corner = torch.rand(count, 1, 2, generator=torch.Generator().manual_seed(seed)) * (160 - side)
    return torch.cat([corner, corner + side], 2), torch.zeros(count, 1, dtype=torch.int64)


@pytest.mark.parametrize("side", [7, 5, 3])
def test_an_object_between_the_places_is_the_nearest_ones(side: int) -> None:
    boxes, labels = squares(side, 500, seed=side)
    targets = assign(LEVELS, boxes, labels, radius=1.5, inside=True)
    assert (targets.positive.sum(1) == 1).all()
    distance = (LEVELS[None, :400, :2] - (boxes[..., :2] + boxes[..., 2:]) / 2).abs().amax(2)
    place = targets.positive.float().argmax(1)
    assert torch.equal(distance.gather(1, place[:, None]).flatten(), distance.amin(1))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), side=st.floats(8.01, 150))
def test_objects_of_a_stride_or_more_have_the_places_that_they_always_had(seed: int, side: float) -> None:
    boxes, labels = squares(side, 20, seed)
    found = assign(LEVELS, boxes, labels, radius=1.5, inside=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(places_module, "_nearest_of_orphans", lambda allowed, *_: torch.zeros_like(allowed))
        before = assign(LEVELS, boxes, labels, radius=1.5, inside=True)
    assert all(torch.equal(one, other) for one, other in zip(found, before, strict=True))


@pytest.mark.parametrize("make", [lambda: grid(GridLossConfig(), info()), lambda: focal(FocalConfig(), info())])
def test_places_on_an_ignored_object_learn_nothing(make: Any) -> None:
    outputs = {key: value.clone().requires_grad_(key != "places") for key, value in right_outputs(*SCENE).items()}
    make()(outputs, {"boxes": SCENE[0], "labels": torch.tensor([[1, ignored(2)]])})["loss"].backward()
    touched = (outputs["presence"].grad[0] != 0).tolist()  # type: ignore[index]
    assert touched[:2] == [True, True] and not touched[5]
    for key in ("boxes", "classes"):
        assert (outputs[key].grad[0, 5] == 0).all()  # type: ignore[index]


@pytest.mark.parametrize("count", [0, 3])
def test_images_without_objects_have_no_answering_place(count: int) -> None:
    targets = assign(PLACES, torch.zeros(2, count, 4), torch.full((2, count), -1), radius=1.5, inside=True)
    assert not targets.positive.any() and targets.boxes.shape == (2, 6, 4)


def right_outputs(boxes: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
    """What a model says that is right and sure of it."""
    targets = assign(PLACES, boxes, labels, radius=0.5, inside=False)
    sure = torch.where(targets.positive, 12.0, -12.0)
    classes = torch.nn.functional.one_hot(targets.labels, 3).float() * 24
    return {"boxes": targets.boxes, "presence": sure, "classes": classes, "quality": sure, "places": PLACES}


SCENE = objects((21, 2, 37, 20, 1), (42, 26, 58, 46, 2))


@pytest.mark.parametrize(
    "make", [lambda: grid(GridLossConfig(), info()), lambda: focal(FocalConfig(radius=0.5), info())]
)
def test_losses_are_nothing_for_a_right_answer_and_grow_with_every_mistake(make: Any) -> None:
    loss, batch = make(), {"boxes": SCENE[0], "labels": SCENE[1]}
    right = right_outputs(*SCENE)
    assert float(loss(right, batch)["loss"]) < 1e-3
    for key, change in (
        ("boxes", torch.tensor([3.0, 0, 3, 0])),
        ("presence", torch.tensor([5.0, -15, 0, 0, 0, 0])),
        ("classes", torch.tensor([30.0, 0, 0])),
    ):
        assert float(loss({**right, key: right[key] + change}, batch)["loss"]) > 1e-2, key


@pytest.mark.parametrize("loss", [grid(GridLossConfig(), info()), focal(FocalConfig(), info())])
def test_only_places_that_answer_for_an_object_learn_its_box_and_class(loss: Any) -> None:
    outputs = {key: value.clone().requires_grad_(key != "places") for key, value in right_outputs(*SCENE).items()}
    with torch.no_grad():
        outputs["boxes"] += 1
    loss(outputs, {"boxes": SCENE[0], "labels": SCENE[1]})["loss"].backward()
    for key in ("boxes", "classes"):
        touched = outputs[key].grad.abs().sum(2)[0] > 0  # type: ignore[union-attr]
        assert touched.tolist() == [False, True, False, False, False, True], key
    assert (outputs["presence"].grad != 0).all()  # type: ignore[union-attr]


@pytest.mark.parametrize("loss", [grid(GridLossConfig(), info()), focal(FocalConfig(overlap="giou"), info())])
def test_a_batch_without_objects_has_finite_gradients(loss: Any) -> None:
    outputs = {key: value.clone().requires_grad_(key != "places") for key, value in right_outputs(*SCENE).items()}
    for shape in ((1, 0), (1, 2)):
        values = loss(outputs, {"boxes": torch.zeros(*shape, 4), "labels": torch.full(shape, -1)})
        assert all(math.isfinite(float(value.detach())) for value in values.values())
        values["loss"].backward()
    assert all(torch.isfinite(value.grad).all() for key, value in outputs.items() if value.grad is not None)


def test_a_model_that_does_not_say_enough_is_refused_by_name() -> None:
    outputs = {"boxes": torch.zeros(1, 6, 4), "scores": torch.zeros(1, 6, 3)}
    for loss, name in ((grid(GridLossConfig(), info()), "grid"), (focal(FocalConfig(), info()), "focal")):
        with pytest.raises(UsageError, match=f"loss '{name}' needs .*does not give presence, classes, places"):
            loss(outputs, {"boxes": SCENE[0], "labels": SCENE[1]})


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 1000), family=st.sampled_from(["grid", "pyramid"]))
def test_any_model_learns_with_any_loss(seed: int, family: str) -> None:
    """A step down the gradient lowers the loss, whichever the pair: they meet in what a place is."""
    torch.manual_seed(seed)
    if family == "grid":
        model: torch.nn.Module = Grid(GridReluConfig(batch_norm=False), info())
    else:
        model = Pyramid(PyramidConfig(widths=[4, 4, 8], blocks=[0, 0, 0], neck=8, head=1), info())
    image = torch.randn(2, 1, 48, 60)
    batch = {"boxes": SCENE[0].expand(2, -1, -1), "labels": SCENE[1].expand(2, -1)}
    for loss in (grid(GridLossConfig(), info()), focal(FocalConfig(), info())):
        model.zero_grad()
        before = loss(model(image), batch)["loss"]
        before.backward()  # type: ignore[no-untyped-call]
        with torch.no_grad():
            norm = math.sqrt(sum(float(p.grad.square().sum()) for p in model.parameters() if p.grad is not None))
            for p in model.parameters():
                if p.grad is not None:
                    p -= 1e-3 / norm * p.grad
        assert float(loss(model(image), batch)["loss"].detach()) < float(before.detach())
