"""Annotated images as arrays: letter-boxed with their boxes, checked, and what is unusable named or counted."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from annotated import voc, voc_xml
from dlkit.catalog import Catalog
from dlkit.components import load_object
from dlkit.data.annotated import Division
from dlkit.data.annotated_images import (
    ImageForm,
    ReadRules,
    chosen_form,
    decode_part,
    decode_parts,
    read_sound,
    without_equals,
)
from dlkit.data.earlier import annotated_files
from dlkit.data.options import AnnotatedFiles
from dlkit.errors import DataError

CAT = ("cat", 3.0, 4.0, 13.0, 24.0)
DOG = ("dog", 20.0, 5.0, 35.0, 15.0)


@pytest.fixture
def ten(tmp_path: Path) -> Path:
    for i in range(10):
        voc(tmp_path / "set", f"{i}", [CAT, DOG] if i % 2 else [CAT])
    return tmp_path / "set"


def test_objects_lie_where_their_boxes_say(ten: Path) -> None:
    """Objects are bright on dark: pixels in a box are, pixels beyond all boxes are not."""
    sound = read_sound(ReadRules(ten, Division(test_fraction=0.2)))
    assert sound.classes == ["cat", "dog"] and sound.notes == []
    assert {part: len(found) for part, found in sound.parts.items()} == {"train": 6, "val": 2, "test": 2}
    pictures, notes = decode_part(sound, "train", ImageForm(64, 80), skip=False)
    assert pictures.images.shape == (6, 3, 64, 80) and notes == []
    for image, boxes, labels in zip(pictures.images, pictures.boxes, pictures.labels, strict=True):
        assert labels.tolist() == [0, 1][: len(boxes)]
        outside = np.ones((64, 80), bool)
        for x1, y1, x2, y2 in boxes.round().astype(int):
            assert image[:, y1 + 2 : y2 - 2, x1 + 2 : x2 - 2].min() > 100
            outside[y1 - 2 : y2 + 2, x1 - 2 : x2 + 2] = False
        assert image[:, outside].max() < 100


def test_grey_and_given_classes(ten: Path) -> None:
    sound = read_sound(ReadRules(ten, classes=["dog", "cow", "cat"]))
    pictures, _ = decode_part(sound, "val", ImageForm(32, 32, colour=False), skip=False)
    assert pictures.images.shape[1:] == (1, 32, 32)
    assert {int(label) for labels in pictures.labels for label in labels} <= {0, 2}


def test_an_unknown_class_is_refused_or_left_out(ten: Path) -> None:
    with pytest.raises(DataError, match=r"(?s)boxes of an unknown class \(known: cat\).*unknown class 'dog'"):
        read_sound(ReadRules(ten, classes=["cat"]))
    sound = read_sound(ReadRules(ten, classes=["cat"], unknown="drop"))
    assert all(annotation.names == ("cat",) for found in sound.parts.values() for annotation in found)
    assert sum("boxes of an unknown class left out" in note for note in sound.notes) >= 1


def test_unusable_files_stop_or_are_counted(ten: Path) -> None:
    (ten / "bad.xml").write_text("<annotation>")
    picture = (ten / "0.png").read_bytes()
    (ten / "cut.png").write_bytes(picture[: len(picture) // 2])
    (ten / "cut.xml").write_text(voc_xml("cut.png", 40, 30, [CAT]))
    with pytest.raises(
        DataError, match=r"(?s)1 annotated images, or objects on them, cannot be used.*bad\.xml.*skip_unusable = true"
    ):
        read_sound(ReadRules(ten))
    sound = read_sound(ReadRules(ten, skip=True))
    assert "bad.xml" in sound.notes[0]
    part = next(part for part, found in sound.parts.items() if any(a.image.name == "cut.png" for a in found))
    with pytest.raises(DataError, match=r"cut\.png: not a readable image"):
        decode_part(sound, part, ImageForm(16, 16), skip=False)
    if len(sound.parts[part]) > 1:
        pictures, (note,) = decode_part(sound, part, ImageForm(16, 16), skip=True)
        assert len(pictures) == len(sound.parts[part]) - 1 and "cut.png" in note


def test_images_without_any_box_and_without_readable_ones_are_refused(tmp_path: Path) -> None:
    for i in range(3):
        voc(tmp_path / "none", str(i), [])
    with pytest.raises(DataError, match="the training images have no box"):
        read_sound(ReadRules(tmp_path / "none"))
    for i in range(3):
        voc(tmp_path / "cut", str(i), [CAT])
    sound = read_sound(ReadRules(tmp_path / "cut"))
    for path in (tmp_path / "cut").glob("*.png"):
        Image.new("RGB", (40, 30)).save(path)
        path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(DataError, match="no image of the train part can be read"):
        decode_part(sound, "train", ImageForm(16, 16), skip=True)


@given(width=st.integers(20, 6000), height=st.integers(20, 6000), side=st.sampled_from([96, 160]))
def test_a_size_that_is_not_given_follows_from_the_images_shape(width: int, height: int, side: int) -> None:
    images = [SimpleNamespace(width=width, height=height)] * 3
    form, (note,) = chosen_form(None, None, images, side=side, colour=True)  # type: ignore[arg-type]
    assert form.width % 16 == form.height % 16 == 0 and f"{form.width}×{form.height}" in note
    if 1 / 4 <= width / height <= 4:
        assert form.width / form.height == pytest.approx(width / height, rel=0.35)  # to 16 pixels of 48 at least
        assert form.width * form.height == pytest.approx(side**2, rel=0.35)


def test_a_size_that_is_given_is_taken() -> None:
    wide = [SimpleNamespace(width=300, height=200)] * 3 + [SimpleNamespace(width=10, height=900)]

    def size(height: int | None, width: int | None) -> tuple[int, int]:
        form, notes = chosen_form(height, width, wide, side=160, colour=True)  # type: ignore[arg-type]
        assert bool(notes) == (None in (height, width))
        return form.height, form.width

    assert size(100, 70) == (100, 70)
    assert size(100, None) == (100, 144)
    assert size(None, 150) == (96, 150)
    assert size(None, None) == (128, 192)


def test_a_stored_run_of_before_reads_boxes_and_names_as_it_did() -> None:
    pixels = {"background": "drop", "value_range": "type"}
    meant = {"repeated": "keep", "spelling": "written", **pixels}
    assert annotated_files({"path": "x"}, 1) == {"path": "x", **meant}
    assert annotated_files({"path": "x"}, 2) == {"path": "x", **pixels}
    for task in ("detection", "localization"):
        (spec,) = [s for s in Catalog.load_everything().specs("dataset", task) if s.name == "files"]
        assert spec.version == 3 and load_object(spec.migrate) is annotated_files


def test_images_of_two_parts_are_said_or_left_out_of_training(tmp_path: Path) -> None:
    for part, names in (("train", "abcd"), ("val", "f"), ("test", "ae")):
        for name in names:
            voc(tmp_path / "set" / part, name, [("cat", 3.0, 4.0, 13.0 + ord(name) - 97, 24.0)])
    for equal, left, way in (("keep", 4, "dataset.equal = drop"), ("drop", 3, "they are left out of training")):
        config = AnnotatedFiles(path=str(tmp_path / "set"), equal=equal)  # type: ignore[arg-type]
        sound = read_sound(ReadRules.of(config))
        pictures, (note,), _ = decode_parts(sound, ImageForm(32, 32), skip=False)
        other, said = without_equals(sound)
        assert len(pictures["train"]) == len(other.parts["train"]) == left and said == [note]
        assert "1 of 2 test images are equal to train images" in note and way in note


def test_images_of_a_group_are_in_one_part(tmp_path: Path) -> None:
    for name in ("a1", "a2", "b1", "b2", "c1", "c2", "d1", "d2"):
        voc(tmp_path / "set", name, [CAT])
    config = AnnotatedFiles(path=str(tmp_path / "set"), group=r"^\w", val_fraction=0.25, test_fraction=0.25)
    sound = read_sound(ReadRules.of(config))
    owners = [{one.image.name[0] for one in found} for found in sound.parts.values()]
    assert len(owners) == 3 and sum(map(len, owners)) == 4
    assert "4 groups (dataset.group), each in one part" in sound.notes
