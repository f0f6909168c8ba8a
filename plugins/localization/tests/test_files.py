"""Your own annotated images: boxes follow them into the letter-box, the first counts, and bad input is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from dlkit.data.context import Context
from dlkit.data.splits import Data
from dlkit.errors import DataError
from dlkit.task import check_columns, first_batch
from dlkit_localization.datasets import files
from dlkit_localization.info import LocalizationInfo
from dlkit_localization.options import FilesConfig
from dlkit_localization.outputs import corners
from dlkit_localization.task import Localization

Annotate = Callable[..., Path]


def build(root: Path, context: Context, **options: Any) -> Data:
    return files.build(FilesConfig(**{"path": str(root), "height": 32, "width": 48, **options}), context)


def some(annotate: Annotate, count: int = 12) -> Path:
    """A few good images, so that a bad one has company."""
    root = Path()
    for i in range(count):
        root = annotate("images", f"good-{i}", [(("red", "green")[i % 2], 4, 6, 20, 18)])
    return root


def test_the_contract_holds(coloured: Callable[..., Path], context: Context) -> None:
    data = build(coloured(), context)
    info = LocalizationInfo.model_validate(data.info)
    assert info.classes == ["blue", "green", "red"] and info.shape == (3, 32, 48)
    assert {name: len(split) for name, split in data.splits.items()} == {"train": 22, "val": 4, "test": 4}
    for split in data.splits.values():
        batch = first_batch(split, 30)
        check_columns(Localization.batch, batch, "files")
        assert torch.equal(batch["present"] > 0, batch["label"] >= 0)
        assert not batch["box"][batch["label"] < 0].any()
    assert 0 < float(first_batch(data.train, 30)["present"].mean()) < 1


def test_boxes_follow_their_image_into_the_letterbox(annotate: Annotate, context: Context) -> None:
    """A 40×20 image in 48×32: scaled by 1.2 to 48×24, four rows of black above."""
    for i in range(4):
        root = annotate("images", f"{i}", [("red", 10, 5, 20, 15)], width=40, height=20)
    data = build(root, context)
    box = corners(first_batch(data.train, 1)["box"], 32, 48)[0]
    assert box.tolist() == pytest.approx([12, 10, 24, 22], abs=1e-4)
    image = first_batch(data.train, 1)["image"][0]
    red, blue = image[0], image[2]
    assert (red - blue)[12:20, 14:22].min() > (red - blue)[6:26, 28:].max()


def test_the_first_of_several_boxes_counts(annotate: Annotate, context: Context) -> None:
    for i in range(8):
        root = annotate("images", f"{i}", [("green", 2, 2, 12, 12), ("red", 20, 5, 36, 25)][:: -1 if i % 2 else 1])
    data = build(root, context)
    assert any("have several boxes: the first counts" in note for note in data.notes)
    batch = first_batch(data.train, 9)
    wide = corners(batch["box"], 32, 48)
    wide = wide[:, 2] - wide[:, 0]
    green = data.info["classes"].index("green")
    assert (wide[batch["label"] == green] < 12).all() and (wide[batch["label"] != green] > 12).all()


def test_parts_in_folders_and_classes_of_your_choice(annotate: Annotate, context: Context) -> None:
    for part, count in (("train", 5), ("val", 2), ("test", 3)):
        for i in range(count):
            annotate(f"all/{part}", f"{part}{i}", [("red", 4, 4, 20, 20)])
    root = annotate("all/train", "more", [("green", 4, 4, 20, 20)]).parent
    data = build(root, context, classes=["green", "blue", "red"])
    assert {name: len(split) for name, split in data.splits.items()} == {"train": 6, "val": 2, "test": 3}
    assert data.info["classes"] == ["green", "blue", "red"]
    assert first_batch(data.val, 9)["label"].tolist() == [2, 2]


def test_lists_of_names(annotate: Annotate, context: Context, tmp_path: Path) -> None:
    root = some(annotate)
    (tmp_path / "t.txt").write_text("good-0\ngood-1\ngood-2\n")
    (tmp_path / "v.txt").write_text("good-5.png\n")
    data = build(root, context, train_list=str(tmp_path / "t.txt"), val_list=str(tmp_path / "v.txt"))
    assert {name: len(split) for name, split in data.splits.items()} == {"train": 3, "val": 1}
    assert any("8 annotated images are in no list" in note for note in data.notes)


BAD_BOXES = [
    (("red", 30, 10, 60, 20), r"bad\.xml: box 1 \(red\) on bad\.png: .* is outside the image of 40×30"),
    (("red", 10, 10, 10, 20), r"bad\.xml: box 1 .* is less than a pixel wide"),
    (("red", 20, 10, 10, 20), r"bad\.xml: box 1 .* is inverted"),
]


@pytest.mark.parametrize(("box", "reason"), BAD_BOXES)
def test_an_invalid_box_is_named_or_left_out(box: Any, reason: str, annotate: Annotate, context: Context) -> None:
    some(annotate)
    root = annotate("images", "bad", [box])
    with pytest.raises(DataError, match=reason):
        build(root, context)
    for policy in ("drop", "clip"):
        data = build(root, context, invalid=policy, val_fraction=0.1, test_fraction=0.0)
        assert any("1 invalid boxes" in note and "bad.xml" in note for note in data.notes)
        batches = [first_batch(split, 20) for split in data.splits.values()]
        empty = sum(int((batch["present"] == 0).sum()) for batch in batches)
        assert empty == (0 if policy == "clip" and box[3] == 60 else 1)


def test_an_unknown_class_is_named_or_left_out(annotate: Annotate, context: Context) -> None:
    some(annotate)
    root = annotate("images", "odd", [("dragon", 4, 4, 20, 20)])
    with pytest.raises(DataError, match=r"odd\.xml: .* unknown class 'dragon'"):
        build(root, context, classes=["red", "green"])
    data = build(root, context, classes=["red", "green"], unknown="drop")
    assert any("unknown class" in note and "odd.xml" in note for note in data.notes)


def broken_xml(root: Path) -> str:
    (root / "bad.xml").write_text("<annotation><object>")
    return r"bad\.xml: not readable as XML"


def missing_image(root: Path) -> str:
    (root / "bad.png").unlink()
    return r"bad\.xml: its image bad\.png is missing"


def no_image(root: Path) -> str:
    (root / "bad.png").write_text("not a picture")
    return r"bad\.png: not a readable image"


def truncated_image(root: Path) -> str:
    content = (root / "bad.png").read_bytes()
    (root / "bad.png").write_bytes(content[: len(content) // 2])
    return r"bad\.png: not a readable image"


def no_number(root: Path) -> str:
    text = (root / "bad.xml").read_text()
    (root / "bad.xml").write_text(text.replace("<xmin>4</xmin>", "<xmin>four</xmin>"))
    return r"bad\.xml: object 1: <xmin> is 'four', not a number"


@pytest.mark.parametrize("damage", [broken_xml, missing_image, no_image, truncated_image, no_number])
def test_what_cannot_be_read_is_named_or_counted(
    damage: Callable[[Path], str], annotate: Annotate, context: Context
) -> None:
    some(annotate)
    root = annotate("images", "bad", [("red", 4, 4, 20, 20)])
    reason = damage(root)
    with pytest.raises(DataError, match=reason):
        build(root, context)
    data = build(root, context, skip_unusable=True)
    # Of an image with one object that cannot be used the others are kept.
    assert sum(map(len, data.splits.values())) == 12 + (damage is no_number)
    assert any("1 annotated images, or objects on them, cannot be used" in note for note in data.notes)


def test_a_folder_without_objects_or_images_is_refused(annotate: Annotate, context: Context, tmp_path: Path) -> None:
    for i in range(6):
        root = annotate("empty", f"{i}")
    with pytest.raises(DataError, match="the training images have no box"):
        build(root, context)
    with pytest.raises(DataError, match="nowhere"):
        build(tmp_path / "nowhere", context)


def test_options_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="need a train_list"):
        FilesConfig(path="images", val_list="val.txt")
    with pytest.raises(ValueError, match="must be less than 1"):
        FilesConfig(path="images", val_fraction=0.5, test_fraction=0.5)


def test_grey_and_mirrored(coloured: Callable[..., Path], context: Context) -> None:
    data = build(coloured(), context, colour=False, flip=True)
    assert data.info["shape"] == (1, 32, 48) and data.augment is not None
    assert build(coloured(), context).augment is None
