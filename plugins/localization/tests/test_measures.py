"""Metrics and losses: against plain loops, and what must not count does not."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torchvision.ops import complete_box_iou_loss, generalized_box_iou_loss

from dlkit_localization.losses import three_part, with_overlap
from dlkit_localization.metrics import LocalizationMetrics, judge
from dlkit_localization.options import IouConfig, ThreePartConfig
from dlkit_localization.outputs import corners, overlap, parts, relative

CLASSES = 3
few = settings(max_examples=25, deadline=None)


@st.composite
def scenes(draw: st.DrawFn, least: int = 1) -> tuple[Tensor, dict[str, Tensor]]:
    """Outputs [N,5+3] and a batch; boxes anywhere, some predicted ones inside out."""
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    count = draw(st.integers(least, 12))
    outputs = torch.randn(count, 5 + CLASSES, generator=generator)
    outputs[:, 1:5] = torch.rand(count, 4, generator=generator) * 0.8 - 0.1
    present = (torch.rand(count, generator=generator) < draw(st.sampled_from([0.0, 0.5, 1.0]))).float()
    box = torch.rand(count, 4, generator=generator) * 0.5 + 0.1
    label = torch.randint(0, CLASSES, (count,), generator=generator)
    there = present > 0
    close = torch.rand(count, generator=generator) < 0.5
    outputs[:, 1:5] = torch.where(close[:, None], box + 0.02, outputs[:, 1:5])
    batch = {"present": present, "box": box * there[:, None], "label": torch.where(there, label, -1)}
    return outputs, {**batch, "image": torch.zeros(count, 1, 4, 4)}


def plain_iou(one: list[float], other: list[float]) -> float:
    """Of two relative boxes, the long way."""
    sides = []
    for axis in (0, 1):
        ends = [(box[axis] - max(0, box[axis + 2]) / 2, box[axis] + max(0, box[axis + 2]) / 2) for box in (one, other)]
        sides.append(max(0.0, min(ends[0][1], ends[1][1]) - max(ends[0][0], ends[1][0])))
    areas = [max(0, box[2]) * max(0, box[3]) for box in (one, other)]
    union = sum(areas) - sides[0] * sides[1]
    return sides[0] * sides[1] / union if union else 0.0


@few
@given(scenes())
def test_metrics_are_what_a_plain_count_gives(scene: tuple[Tensor, dict[str, Tensor]]) -> None:
    outputs, batch = scene
    metrics = LocalizationMetrics()
    metrics.update(outputs, batch)
    found = metrics.compute()
    seen, strict, named, ious, good, objects = 0, 0, 0, 0.0, 0, 0
    for row, present, box, label in zip(outputs, batch["present"], batch["box"], batch["label"], strict=True):
        right = (float(row[0]) > 0) == bool(present)
        seen += right
        if not present:
            strict += right
            continue
        objects += 1
        iou = plain_iou(row[1:5].tolist(), box.tolist())
        correct = int(row[5:].argmax()) == int(label)
        named, ious, good = named + correct, ious + iou, good + (iou > 0.5)
        strict += right and correct and iou > 0.5
    assert found["detection_accuracy"] == pytest.approx(seen / len(outputs))
    assert found["strict_accuracy"] == pytest.approx(strict / len(outputs))
    if not objects:
        assert set(found) == {"detection_accuracy", "strict_accuracy"}
        return
    assert found["class_accuracy"] == pytest.approx(named / objects)
    assert found["mean_iou"] == pytest.approx(ious / objects, abs=1e-5)
    assert found["box_accuracy"] == pytest.approx(good / objects)
    four = [found[name] for name in ("detection_accuracy", "class_accuracy", "mean_iou", "box_accuracy")]
    assert found["performance"] == pytest.approx(sum(four) / 4)


@few
@given(scenes(least=2), st.integers(1, 11))
def test_batches_and_ranks_add_up(scene: tuple[Tensor, dict[str, Tensor]], at: int) -> None:
    outputs, batch = scene
    whole = LocalizationMetrics()
    whole.update(outputs, batch)
    pieces = [slice(0, at), slice(at, None)]
    one = LocalizationMetrics()
    ranks = [LocalizationMetrics(), LocalizationMetrics()]
    for rank, part in zip(ranks, pieces, strict=True):
        for metrics in (one, rank):
            metrics.update(outputs[part], {name: column[part] for name, column in batch.items()})
    sums = [rank._sums.value for rank in ranks]
    ranks[0].reduce(lambda _: sum(s for s in sums if s is not None))  # type: ignore[arg-type, return-value]
    assert one.compute() == pytest.approx(whole.compute())
    assert ranks[0].compute() == pytest.approx(whole.compute())


def test_nothing_seen_is_nothing_measured() -> None:
    assert LocalizationMetrics().compute() == {}


@few
@given(scenes())
def test_overlap_is_the_plain_one(scene: tuple[Tensor, dict[str, Tensor]]) -> None:
    outputs, batch = scene
    found = overlap(parts(outputs).box, batch["box"])
    expected = [plain_iou(a, b) for a, b in zip(outputs[:, 1:5].tolist(), batch["box"].tolist(), strict=True)]
    assert found.tolist() == pytest.approx(expected, abs=1e-5)
    assert torch.equal(judge(outputs, batch)["iou"], found)


@few
@given(scenes())
def test_relative_boxes_and_corners_are_inverse(scene: tuple[Tensor, dict[str, Tensor]]) -> None:
    box = scene[1]["box"] * 0.5 + 0.25  # inside the image
    assert torch.allclose(relative(corners(box, 48, 60), 48, 60), box, atol=1e-6)
    outside = corners(torch.tensor([[0.9, 0.1, 0.5, 0.6]]), 48, 60)
    assert outside[0].tolist() == pytest.approx([39.0, 0.0, 60.0, 19.2], abs=1e-4)


@few
@given(scenes())
def test_the_three_parts_are_the_courses(scene: tuple[Tensor, dict[str, Tensor]]) -> None:
    outputs, batch = scene
    config = ThreePartConfig(present_weight=2.0, box_weight=3.0, class_weight=0.5)
    found = three_part(config, None)(outputs, batch)
    there = batch["present"] > 0
    present = F.binary_cross_entropy(outputs[:, 0].sigmoid(), batch["present"])
    assert float(found["present"]) == pytest.approx(float(present), rel=1e-3, abs=1e-5)
    box, named = 0.0, 0.0
    if there.any():
        box = float(F.mse_loss(outputs[there, 1:5], batch["box"][there]))
        named = float(F.cross_entropy(outputs[there, 5:], batch["label"][there]))
    assert float(found["box"]) == pytest.approx(box, abs=1e-5)
    assert float(found["class"]) == pytest.approx(named, abs=1e-5)
    assert float(found["loss"]) == pytest.approx(2 * float(found["present"]) + 3 * box + 0.5 * named, abs=1e-4)


@pytest.mark.parametrize(("overlap_", "measure"), [("giou", generalized_box_iou_loss), ("ciou", complete_box_iou_loss)])
@few
@given(scene=scenes())
def test_overlap_losses_are_torchvisions(scene: tuple[Tensor, dict[str, Tensor]], overlap_: Any, measure: Any) -> None:
    outputs, batch = scene
    outputs = torch.cat([outputs[:, :3], outputs[:, 3:5].abs() + 0.01, outputs[:, 5:]], 1)
    found = with_overlap(IouConfig(overlap=overlap_, overlap_weight=4.0), None)(outputs, batch)
    there = batch["present"] > 0
    expected = 0.0
    if there.any():
        expected = float(measure(edges(outputs[there, 1:5]), edges(batch["box"][there]), reduction="mean"))
    assert float(found["overlap"]) == pytest.approx(expected, abs=1e-4)
    plain = three_part(ThreePartConfig(), None)(outputs, batch)
    assert float(found["loss"]) == pytest.approx(float(plain["loss"]) + 4 * expected, rel=1e-3, abs=1e-3)


def edges(box: Tensor) -> Tensor:
    return torch.cat([box[:, :2] - box[:, 2:] / 2, box[:, :2] + box[:, 2:] / 2], 1)


@few
@given(scenes(), st.sampled_from(["three-part", "giou", "ciou"]))
def test_where_nothing_is_neither_box_nor_class_is_learnt(scene: tuple[Tensor, dict[str, Tensor]], name: str) -> None:
    outputs, batch = scene
    loss = (
        three_part(ThreePartConfig(), None) if name == "three-part" else with_overlap(IouConfig(overlap=name), None)  # type: ignore[arg-type]
    )
    outputs = outputs.clone().requires_grad_()
    value = loss(outputs, batch)["loss"]
    value.backward()  # type: ignore[no-untyped-call]
    assert math.isfinite(float(value.detach()))
    assert outputs.grad is not None and outputs.grad.isfinite().all()
    empty = batch["present"] == 0
    assert not outputs.grad[empty, 1:].any()
    assert outputs.grad[:, 0].all()


def test_a_perfect_answer_costs_nothing() -> None:
    box = torch.tensor([[0.5, 0.4, 0.3, 0.2]])
    batch = {"present": torch.ones(1), "box": box, "label": torch.tensor([1])}
    outputs = torch.cat([torch.tensor([[40.0]]), box, torch.tensor([[-40.0, 40.0, -40.0]])], 1)
    for loss in (three_part(ThreePartConfig(), None), with_overlap(IouConfig(), None)):
        assert float(loss(outputs, batch)["loss"]) == pytest.approx(0, abs=1e-4)
    metrics = LocalizationMetrics()
    metrics.update(outputs, batch)
    assert list(metrics.compute().values()) == pytest.approx([1] * 6)
