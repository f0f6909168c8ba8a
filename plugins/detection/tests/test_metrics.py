"""Objects from what places say, and how they are measured: in pixels of the image, whatever the grid."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from dlkit.task import OverRanks
from dlkit_detection.decoding import CANDIDATES, FALSE, IGNORED, Objects, candidates, judge, select_objects
from dlkit_detection.ignored import ignored
from dlkit_detection.info import DetectionInfo
from dlkit_detection.metrics import DetectionMetrics

ONE = np.ones(1, np.float32)
INFO = DetectionInfo(classes=["a", "b", "c"], shape=(1, 100, 100), mean=ONE, std=ONE)

TRUE = torch.tensor([[[10.0, 10, 30, 30], [50, 50, 90, 80]], [[20, 20, 40, 60], [0, 0, 0, 0]]])
LABELS = torch.tensor([[0, 1], [1, -1]])
BATCH = {"boxes": TRUE, "labels": LABELS}


def outputs(boxes: Tensor, labels: Tensor, scores: Tensor, places: int = 0) -> dict[str, Tensor]:
    """A model that says just this, in ``places`` places more that say nothing."""
    count, shown = labels.shape
    per_class = torch.zeros(count, shown + places, 3)
    per_class[:, :shown].scatter_(2, labels.clamp(min=0)[..., None], (scores * (labels >= 0))[..., None])
    return {"boxes": torch.cat([boxes, torch.zeros(count, places, 4)], 1), "scores": per_class}


def measured(*said: dict[str, Tensor], batches: Any = (BATCH,)) -> dict[str, float]:
    metrics = DetectionMetrics(INFO)
    for one, batch in zip(said, batches, strict=True):
        metrics.update(one, batch)
    return metrics.compute()


SURE = torch.full(LABELS.shape, 0.9)


def test_all_right_is_1_on_any_grid() -> None:
    for places in (0, 7):
        values = measured(outputs(TRUE, LABELS, SURE, places))
        assert set(values) == {
            "map",
            "map50",
            "map/a",
            "map/b",
            "map50/a",
            "map50/b",
            "accuracy",
            "iou",
        }  # no c is there
        assert all(value == pytest.approx(1) for value in values.values())


def test_a_box_a_little_off_counts_at_half_and_not_at_the_top() -> None:
    values = measured(outputs(TRUE + 3, LABELS, SURE))
    assert values["map50"] == pytest.approx(1) and 0.2 < values["map"] < 0.9 and 0.6 < values["iou"] < 0.9
    assert values["accuracy"] == 1


def test_wrong_classes_and_missed_objects_are_errors() -> None:
    wrong = measured(outputs(TRUE, torch.where(LABELS == 0, 2, LABELS), SURE))
    assert wrong["map/a"] == 0 and wrong["map/b"] == pytest.approx(1) and wrong["map"] == pytest.approx(0.5)
    assert wrong["accuracy"] == pytest.approx(2 / 4) and wrong["iou"] == pytest.approx(2 / 3)
    unsure = measured(outputs(TRUE, LABELS, torch.tensor([[0.3, 0.9], [0.9, 0.9]])))
    assert unsure["map"] == pytest.approx(1) and unsure["accuracy"] == pytest.approx(2 / 3)
    silent = measured(outputs(TRUE, LABELS, torch.zeros(LABELS.shape)))
    assert silent["map"] == silent["accuracy"] == silent["iou"] == 0


@pytest.mark.parametrize("found", [True, False])
def test_an_ignored_object_is_neither_to_be_found_nor_a_mistake(found: bool) -> None:
    """Whether anything is found on it or not, all figures are those of the others."""
    aside = torch.tensor([[[0.0, 50, 40, 100]], [[60, 60, 100, 100]]])
    marked = torch.tensor([[ignored(0)], [ignored(1)]])
    batch = {"boxes": torch.cat([TRUE, aside], 1), "labels": torch.cat([LABELS, marked], 1)}
    # Half of the group, and a part of it: each within its box.
    there = torch.cat([TRUE, torch.tensor([[[0.0, 50, 20, 100]], [[60, 60, 80, 70]]])], 1)
    labels = torch.cat([LABELS, torch.tensor([[0], [1]]) if found else torch.full((2, 1), -1)], 1)
    values = measured(outputs(there, labels, torch.full(labels.shape, 0.9)), batches=(batch,))
    assert values and all(value == pytest.approx(1) for value in values.values())


def test_another_class_on_an_ignored_object_is_false() -> None:
    boxes = torch.tensor([[0.0, 0, 40, 40], [0, 0, 40, 40], [0, 0, 400, 400]])
    found = Objects(boxes, torch.tensor([0.9, 0.8, 0.7]), torch.tensor([0, 1, 1]))
    verdict = judge(found, torch.tensor([[0.0, 0, 40, 40]]), torch.tensor([ignored(1)]))
    assert verdict.hits == [FALSE, IGNORED, FALSE] and verdict.false == [0, 2] and not verdict.missed


def test_what_is_undefined_is_left_out() -> None:
    assert DetectionMetrics(INFO).compute() == {}
    nothing = {"boxes": torch.zeros(2, 0, 4), "labels": torch.zeros(2, 0, dtype=torch.int64)}
    assert measured(outputs(TRUE, torch.full_like(LABELS, -1), SURE), batches=(nothing,)) == {}
    made_up = measured(outputs(TRUE, LABELS, SURE), batches=(nothing,))
    assert made_up == {"accuracy": 0.0}


def test_batches_of_any_width_give_what_one_batch_gives() -> None:
    narrow = {"boxes": TRUE[1:, :1], "labels": LABELS[1:, :1]}
    first, second = (outputs(TRUE[i : i + 1] + 2, LABELS[i : i + 1], SURE[i : i + 1], places=3 * i) for i in range(2))
    split = measured(first, second, batches=({"boxes": TRUE[:1], "labels": LABELS[:1]}, narrow))
    assert split == pytest.approx(measured(outputs(TRUE + 2, LABELS, SURE)))


def test_precision_is_torchmetrics_own() -> None:
    """Random boxes, measured by torchmetrics directly and per class."""
    from torchmetrics.detection import MeanAveragePrecision

    torch.manual_seed(0)
    true = torch.rand(20, 5, 4) * 40
    true[..., 2:] += true[..., :2] + 10
    labels = torch.randint(0, 3, (20, 5))
    said = outputs(true + torch.randn(20, 5, 4) * 4, torch.where(torch.rand(20, 5) < 0.8, labels, 0), torch.rand(20, 5))
    metrics, reference = DetectionMetrics(INFO), MeanAveragePrecision(class_metrics=True, backend="faster_coco_eval")
    metrics.update(said, {"boxes": true, "labels": labels})
    objects = [select_objects(rows) for rows in candidates(said, (100, 100))]
    reference.update(
        [{"boxes": o.boxes, "scores": o.scores, "labels": o.labels} for o in objects],
        [{"boxes": b, "labels": n} for b, n in zip(true, labels, strict=True)],
    )
    expected, found = reference.compute(), metrics.compute()
    assert found["map"] == pytest.approx(float(expected["map"])) and 0.1 < found["map"] < 0.9
    assert found["map50"] == pytest.approx(float(expected["map_50"]))
    assert [found[f"map/{name}"] for name in "abc"] == pytest.approx(expected["map_per_class"].tolist())


def test_updating_reads_nothing_back() -> None:
    """On the meta device, whose tensors have no values, everything that waits for a value raises."""
    metrics = DetectionMetrics(INFO)
    said = outputs(TRUE, LABELS, SURE)
    metrics.update({k: v.to("meta") for k, v in said.items()}, {k: v.to("meta") for k, v in BATCH.items()})
    with pytest.raises((NotImplementedError, RuntimeError)):
        metrics.compute()


def test_reduce_of_one_process_changes_nothing() -> None:
    metrics = DetectionMetrics(INFO)
    metrics.update(outputs(TRUE + 2, LABELS, SURE), BATCH)
    metrics.reduce(OverRanks())
    assert metrics.compute() == pytest.approx(measured(outputs(TRUE + 2, LABELS, SURE)))
    empty = DetectionMetrics(INFO)
    empty.reduce(OverRanks())
    assert empty.compute() == {}


def test_only_the_surest_are_looked_at_and_all_lie_inside() -> None:
    torch.manual_seed(0)
    said = {"boxes": torch.randn(2, 900, 4) * 100, "scores": torch.rand(2, 900, 3)}
    found = candidates(said, (100, 100))
    assert found.shape == (2, CANDIDATES, 6)
    assert (found[..., :4] >= 0).all() and (found[..., :4] <= 100).all()
    assert torch.equal(found[0, :, 4], said["scores"][0].flatten().sort(descending=True).values[:CANDIDATES])
    place = (said["scores"][0] == found[0, 0, 4]).nonzero()[0]
    assert int(found[0, 0, 5]) == int(place[1])


def test_of_overlapping_boxes_of_a_class_the_surest_stays() -> None:
    rows = torch.tensor(
        [
            [10.0, 10, 30, 30, 0.9, 0],
            [11, 11, 31, 31, 0.8, 0],
            [10, 10, 30, 30, 0.7, 1],  # another class
            [60, 60, 80, 80, 0.6, 0],
            [0, 0, 5, 5, 0.001, 0],
        ]
    )
    found = select_objects(rows)
    assert found.scores.tolist() == pytest.approx([0.9, 0.7, 0.6]) and found.labels.tolist() == [0, 1, 0]
    assert len(select_objects(rows, overlap=0.95)) == 4 and len(select_objects(rows, most=1)) == 1
    assert select_objects(rows, threshold=0.65).scores.tolist() == pytest.approx([0.9, 0.7])


@settings(max_examples=50)
@given(seed=st.integers(0, 10_000), found=st.integers(0, 6), true=st.integers(0, 6))
def test_a_verdict_accounts_for_everything_once(seed: int, found: int, true: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    corners = torch.rand(found + true, 2, generator=generator) * 20
    boxes = torch.cat([corners, corners + 15], 1)
    labels = torch.randint(0, 2, (found + true,), generator=generator)
    scores = torch.linspace(1, 0.1, found)
    verdict = judge(Objects(boxes[:found], scores, labels[:found]), boxes[found:], labels[found:])
    hits = [hit for hit in verdict.hits if hit >= 0]
    assert len(verdict.hits) == found and len(set(hits)) == len(hits)
    assert sorted([*hits, *verdict.missed]) == list(range(true))
    for i, (hit, overlap) in enumerate(zip(verdict.hits, verdict.overlaps, strict=True)):
        assert (overlap >= 0.5) == (hit >= 0)
        assert hit < 0 or labels[i] == labels[found + hit]
