"""Every data set keeps the task's contract; invalid boxes and unusable files are named, clipped, dropped or counted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from dlkit.data.annotated_images import ReadRules, read_sound
from dlkit.data.context import Context
from dlkit.data.destination import HOST
from dlkit.data.plans import in_order
from dlkit.data.splits import Data, TensorSplit
from dlkit.errors import DataError
from dlkit.task import check_columns, first_batch
from dlkit_detection.datasets import digits_canvas, files
from dlkit_detection.info import DetectionInfo
from dlkit_detection.options import DigitsCanvasConfig, FilesConfig
from dlkit_detection.preview import balance, pictures
from dlkit_detection.task import Detection

RED, BLUE = ("red", 2.0, 3.0, 20.0, 30.0), ("blue", 25.0, 5.0, 45.0, 20.0)


def checked(data: Data) -> DetectionInfo:
    """The contract of the task, for every split."""
    info = DetectionInfo.model_validate(data.info)
    for name, split in data.splits.items():
        batch = first_batch(split, 3)
        sizes = check_columns(Detection.batch, batch, name)
        assert (sizes["C"], sizes["H"], sizes["W"]) == info.shape
        assert ((batch["labels"] >= -1 - len(info.classes)) & (batch["labels"] < len(info.classes))).all()
        boxes = batch["boxes"][batch["labels"] >= 0]
        assert (boxes[:, 2:] - boxes[:, :2] >= 1).all() and (boxes >= 0).all()
        assert (boxes[:, 2] <= info.shape[2]).all() and (boxes[:, 3] <= info.shape[1]).all()
    return info


def small(**options: object) -> DigitsCanvasConfig:
    return DigitsCanvasConfig.model_validate({"source": "digits", "train": 60, "val": 20, "test": 20, **options})


def test_canvases_have_one_to_four_digits(context: Context) -> None:
    data = digits_canvas.build(small(), context)
    info = checked(data)
    assert info.classes == [str(digit) for digit in range(10)] and info.shape == (1, 48, 60)
    batch = first_batch(data.train, 60)
    counts = (batch["labels"] >= 0).sum(1)
    assert int(counts.min()) == 1 and int(counts.max()) == 4
    assert abs(float(batch["image"].mean())) < 0.1 and float(batch["image"].std()) == pytest.approx(1, abs=0.1)
    assert data.resolved_options["source"] == "digits" and data.augment is None


def test_two_classes_are_zeros_and_ones_and_options_reach_the_canvas(context: Context) -> None:
    data = digits_canvas.build(small(classes=2, height=64, width=80, fewest=2, most=6, empty=0.5, flip=True), context)
    info = checked(data)
    assert info.classes == ["0", "1"] and info.shape == (1, 64, 80)
    labels = first_batch(data.train, 60)["labels"]
    assert set(labels.unique().tolist()) == {-1, 0, 1} and labels.shape[1] == 6
    assert 10 < int(((labels >= 0).sum(1) == 0).sum()) < 50
    assert data.augment is not None


def test_canvases_are_the_same_everywhere(context: Context) -> None:
    """The digits of scikit-learn, enlarged and drawn: pinned, as machines, threads and versions must not matter."""
    split = digits_canvas.build(small(train=100), context).train
    assert isinstance(split, TensorSplit)
    digest = hashlib.sha256()
    for name in ("image", "boxes", "labels"):
        column = split.columns[name]
        assert isinstance(column, torch.Tensor)
        digest.update(column.numpy().tobytes())
    assert digest.hexdigest() == "632b0fe069a58ecd920584c8fb0c7054a42cc1f51013325f8e3e7a42cef64087"
    more = digits_canvas.build(small(train=200), context).train
    assert isinstance(more, TensorSplit)
    for name, column in split.columns.items():
        assert torch.equal(more.columns[name][torch.arange(100)], column[torch.arange(100)])


def test_auto_takes_what_is_there_and_says_so(context: Context) -> None:
    data = digits_canvas.build(small(source="auto"), context)
    assert data.resolved_options["source"] == "digits" and "no MNIST in the workspace" in data.notes[0]


@pytest.mark.parametrize(
    "options", [{"scale": (1.2, 0.5)}, {"fewest": 5}, {"classes": 11}, {"noise": -1}, {"zoom": (2.0, 1.0)}]
)
def test_canvas_options_that_make_no_sense_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        small(**options)


def test_files_of_any_size_are_letterboxed(annotated: Callable[..., Path], context: Context) -> None:
    for i in range(8):
        root = annotated(f"{i}", [RED, BLUE][: 1 + i % 2], 50 + 7 * i, 40 + 5 * i)
    data = files.build(FilesConfig(path=str(root), height=64, width=48), context)
    info = checked(data)
    assert info.classes == ["blue", "red"] and info.shape == (3, 64, 48)
    pixels = pictures(info, data.train, 8)
    for sample in pictures(info, data.train, 8):
        for box in sample.boxes:
            x1, y1, x2, y2 = (round(side) for side in box.corners)
            colour = sample.image[y1 + 2 : y2 - 2, x1 + 2 : x2 - 2].mean((0, 1))
            assert int(colour.argmax()) == {"red": 0, "blue": 2}[box.label]
    assert len(pixels) == len(data.train)


def test_what_does_not_fit_in_memory_is_read_when_it_is_its_turn(
    scenes: Callable[[int], Path], context: Context
) -> None:
    root = str(scenes(12))
    here = files.build(FilesConfig(path=root, height=40, width=50), context)
    there = files.build(FilesConfig(path=root, height=40, width=50, memory=0), context)
    checked(there)
    assert any("dataset.memory" in note for note in there.notes)
    for name, split in there.splits.items():
        index = torch.arange(len(split))
        for key, column in split.take(index).items():
            torch.testing.assert_close(column, here.splits[name].take(index)[key])
    plan = in_order(len(there.train), 3)
    (worker,) = [split.to(HOST, workers=1) for split in (there.train,)]
    loaded = list(worker.batches(plan, seed=0, epoch=0))
    worker.close()
    assert torch.equal(
        torch.cat([batch["image"] for batch in loaded]), there.train.take(torch.arange(len(there.train)))["image"]
    )
    before = there.train.fingerprint()
    assert before == files.build(FilesConfig(path=root, height=40, width=50, memory=0), context).train.fingerprint()
    assert before != files.build(FilesConfig(path=root, height=40, width=48, memory=0), context).train.fingerprint()


@pytest.mark.parametrize("workers", [0, 1])
def test_an_image_that_breaks_in_the_middle_obeys_skip_unusable(
    scenes: Callable[[int], Path], context: Context, workers: int, capfd: pytest.CaptureFixture[str]
) -> None:
    told = replace(context, say=lambda text: print(text, flush=True))
    skips, stops = (
        FilesConfig(path=str(scenes(12)), height=40, width=50, memory=0, skip_unusable=skip) for skip in (True, False)
    )
    kept, strict = (files.build(config, told).train for config in (skips, stops))
    before = kept.take(torch.arange(len(kept)))["image"]
    broken = read_sound(ReadRules.of(skips)).parts["train"][2].image
    broken.write_bytes(broken.read_bytes()[:60])
    plan = in_order(len(kept), 3)
    with pytest.raises(DataError) as error:
        list(strict.to(HOST, workers=workers).batches(plan, seed=0, epoch=0))
    assert str(error.value).startswith(f"{broken}: not a readable image")
    found = torch.cat([batch["image"] for batch in kept.to(HOST, workers=workers).batches(plan, seed=0, epoch=0)])
    assert torch.equal(found, before[[0, 1, 3, *range(3, len(kept))]])
    assert f"{broken}: not a readable image" in (said := capfd.readouterr().out) and said.count("taken instead") == 1
    strict.close()
    kept.close()


OUTSIDE = ("red", 30.0, 10.0, 70.0, 30.0)
FLAT = ("red", 5.0, 5.0, 5.0, 30.0)


@pytest.mark.parametrize(
    ("objects", "options", "said"),
    [
        ([OUTSIDE], {}, r"bad\.xml: box 1 \(red\) on bad\.png: .* is outside the image of 50×40"),
        ([FLAT], {}, r"bad\.xml: box 1 \(red\) on bad\.png: .* is less than a pixel wide or high"),
        ([("green", *RED[1:])], {"classes": ["red", "blue"]}, r"bad\.xml: .* unknown class 'green'"),
    ],
)
def test_invalid_boxes_stop_and_are_named(
    annotated: Callable[..., Path], context: Context, objects: list[object], options: dict[str, object], said: str
) -> None:
    for i in range(4):
        annotated(f"{i}", [RED, BLUE])
    root = annotated("bad", objects)
    with pytest.raises(DataError, match=said) as refused:
        files.build(FilesConfig.model_validate({"path": str(root), "test_fraction": 0, **options}), context)
    assert refused.value.exit_code == 3


def test_invalid_boxes_are_clipped_or_dropped_and_counted(annotated: Callable[..., Path], context: Context) -> None:
    for i in range(4):
        annotated(f"{i}", [RED, BLUE])
    root = str(annotated("bad", [OUTSIDE, FLAT, BLUE]))

    def boxes(**options: object) -> tuple[int, str]:
        data = files.build(FilesConfig.model_validate({"path": root, **options}), context)
        checked(data)
        found = sum(int((first_batch(split, 9)["labels"] >= 0).sum()) for split in data.splits.values())
        return found, "\n".join(data.notes)

    count, notes = boxes(invalid="clip")
    assert (
        count == 10
        and "1 invalid boxes clipped" in notes
        and "1 invalid boxes left out" in notes
        and "bad.xml" in notes
    )
    count, notes = boxes(invalid="drop")
    assert count == 9 and "2 invalid boxes left out" in notes
    count, notes = boxes(invalid="drop", classes=["red"], unknown="drop")
    assert count == 4 and "of an unknown class left out" in notes


@pytest.mark.parametrize("memory", [1.0, 0.0])
def test_images_keep_their_shape_where_no_size_is_given(
    annotated: Callable[..., Path], context: Context, memory: float
) -> None:
    for i in range(6):
        root = annotated(f"{i}", [RED], 120, 60)
    data = files.build(FilesConfig(path=str(root), memory=memory), context)
    assert checked(data).shape == (3, 112, 224)
    assert data.resolved_options == {"height": 112, "width": 224}
    assert any("224×112 pixels" in note and "dataset.width" in note for note in data.notes)
    image = first_batch(data.train, 2)["image"]
    assert image.shape[2:] == (112, 224)


@pytest.mark.parametrize("memory", [1.0, 0.0])
def test_difficult_objects_are_marked_and_counted(
    annotated: Callable[..., Path], context: Context, memory: float
) -> None:
    for i in range(4):
        annotated(f"{i}", [RED, BLUE])
    root = annotated("hard", [RED, BLUE])
    file = root / "hard.xml"
    file.write_text(file.read_text().replace("</name>", "</name><difficult>1</difficult>", 1))
    data = files.build(FilesConfig(path=str(root), memory=memory), context)
    info = checked(data)
    assert any("1 difficult objects are ignored" in note for note in data.notes)
    labels = [first_batch(split, 9)["labels"].flatten().tolist() for split in data.splits.values()]
    assert sum(found.count(-2 - info.classes.index("red")) for found in labels) == 1


def test_boxes_smaller_than_a_stride_are_counted(annotated: Callable[..., Path], context: Context) -> None:
    for i in range(4):
        root = annotated(f"{i}", [RED, BLUE, ("green", 40.0, 30.0, 42.0, 33.0)])
    data = files.build(FilesConfig(path=str(root), height=160, width=160), context)
    assert any("4 of 12 boxes are less than 8 pixels wide or high at 160×160" in note for note in data.notes)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("bad.xml", "<annotation>", r"bad\.xml: not readable as XML"),
        (
            "none.xml",
            "<annotation><filename>no.png</filename></annotation>",
            r"none\.xml: its image no\.png is missing",
        ),
        ("bad.png", "text", r"bad\.png: not a readable image"),
    ],
)
def test_unusable_files_stop_and_are_named_or_counted(
    annotated: Callable[..., Path], context: Context, name: str, content: str, said: str
) -> None:
    for i in range(6):
        annotated(f"{i}", [RED, BLUE])
    root = annotated("bad", [RED])
    (root / name).write_text(content)
    usable = 7 if name == "none.xml" else 6
    with pytest.raises(DataError, match=said):
        files.build(FilesConfig(path=str(root)), context)
    data = files.build(FilesConfig(path=str(root), skip_unusable=True), context)
    assert sum(map(len, data.splits.values())) == usable
    assert "1 annotated images, or objects on them, cannot be used" in data.notes[0] and name in data.notes[0]


def test_a_broken_coco_file_is_named(tmp_path: Path, context: Context) -> None:
    (tmp_path / "all.json").write_text('{"images": [')
    with pytest.raises(DataError, match=r"all\.json: not readable as JSON") as refused:
        files.build(FilesConfig(path=str(tmp_path)), context)
    assert refused.value.exit_code == 3


def test_coco_is_read_as_voc_is(scenes: Callable[[int], Path], tmp_path: Path, context: Context) -> None:
    root = scenes(9)
    found = read_sound(ReadRules.of(FilesConfig(path=str(root))))
    everything = sorted((a for part in found.parts.values() for a in part), key=lambda a: a.image.name)
    content = {
        "images": [{"id": i, "file_name": a.image.name} for i, a in enumerate(everything)],
        "categories": [{"id": i, "name": name} for i, name in enumerate(found.classes)],
        "annotations": [
            {"image_id": i, "category_id": found.classes.index(n), "bbox": [*box[:2], box[2] - box[0], box[3] - box[1]]}
            for i, a in enumerate(everything)
            for n, box in zip(a.names, a.boxes.tolist(), strict=True)
        ],
    }
    (root / "all.json").write_text(json.dumps(content))
    voc = files.build(FilesConfig(path=str(root), height=40, width=50), context)
    coco = files.build(FilesConfig(path=str(root / "all.json"), height=40, width=50), context)
    assert coco.fingerprint() == voc.fingerprint() and coco.info["classes"] == voc.info["classes"]


def test_lists_divide(scenes: Callable[[int], Path], tmp_path: Path, context: Context) -> None:
    root = scenes(10)
    for part, names in (("a", ["000", "001", "002"]), ("b", ["003"]), ("c", ["004", "005"])):
        (tmp_path / f"{part}.txt").write_text("\n".join(names))
    lists = {
        f"{part}_list": str(tmp_path / f"{file}.txt") for part, file in (("train", "a"), ("val", "b"), ("test", "c"))
    }
    data = files.build(
        FilesConfig.model_validate({"path": str(root), "classes": ["blue", "green", "red"], **lists}), context
    )
    assert {name: len(split) for name, split in data.splits.items()} == {"train": 3, "val": 1, "test": 2}
    assert "4 annotated images are in no list" in data.notes[0]
    with pytest.raises(ValidationError, match="need a train_list"):
        FilesConfig(path=str(root), val_list="b.txt")


def test_grey_images(scenes: Callable[[int], Path], context: Context) -> None:
    assert checked(files.build(FilesConfig(path=str(scenes(8)), height=48, width=64, colour=False), context)).shape == (
        1,
        48,
        64,
    )


def test_preview_counts_objects_and_shows_boxes(annotated: Callable[..., Path], context: Context) -> None:
    for i in range(6):
        root = annotated(f"{i}", [RED, ("red", *BLUE[1:]), BLUE] if i else [])
    for memory in (1.0, 0.0):
        data = files.build(FilesConfig(path=str(root), test_fraction=0, memory=memory, invalid="clip"), context)
        info = checked(data)
        rows = {row[0]: row for row in balance(info, data.train).rows}
        images = len(data.train) - int((first_batch(data.train, 9)["labels"] < 0).all(1).sum())
        assert rows["red"][1:] == [2 * images, "66.7%", images] and rows["blue"][1:] == [images, "33.3%", images]
        shown = Detection().preview(info, data.train, 2)
        assert [sample.kind for sample in shown] == ["table", "boxes", "boxes"]


@pytest.mark.realdata
def test_canvases_of_mnist_are_the_same_everywhere(real: Context) -> None:
    split = digits_canvas.build(DigitsCanvasConfig(source="mnist", train=100, val=10, test=10), real).train
    assert isinstance(split, TensorSplit)
    digest = hashlib.sha256()
    for name in ("image", "boxes", "labels"):
        column = split.columns[name]
        assert isinstance(column, torch.Tensor)
        digest.update(np.ascontiguousarray(column.numpy()).tobytes())
    assert digest.hexdigest() == "ef194a85033bc12943daa91049474ad7f6a1ce99c274f6b52e4952ca0a3c0e8b"
