"""YOLO's labels in the layouts of the tools that write them; what is no box, or of nobody, is named with its line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from annotated import picture
from dlkit.data.annotated import Division, read_parts
from dlkit.data.annotated_images import ReadRules, read_sound
from dlkit.data.annotations.reading import read_annotations
from dlkit.data.annotations.record import Found
from dlkit.errors import DataError

LINE = "1 0.5 0.5 0.5 0.4"
"""A box of class 1 on 40×30 pixels: (10, 9)–(30, 21)."""
BOX = [10.0, 9.0, 30.0, 21.0]


def label(images: Path, name: str, text: str | None = LINE) -> Path:
    """An image in a folder and its label file; returns the latter."""
    picture(images / f"{name}.png", 40, 30)
    file = Path("/labels".join(str(images).rsplit("/images", 1))) / f"{name}.txt"
    if text is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return file


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Six images in ``images`` and their labels in ``labels``, as Label Studio exports them."""
    for number in range(6):
        label(tmp_path / "set" / "images", f"{number}")
    (tmp_path / "set" / "classes.txt").write_text("cat\ndog\n")
    (tmp_path / "set" / "notes.json").write_text('{"categories": []}')
    return tmp_path / "set"


def sizes(parts: Mapping[str, Sequence[object]]) -> dict[str, int]:
    return {part: len(found) for part, found in parts.items()}


def one(root: Path, text: str, name: str = "0") -> Found:
    (root / "labels" / f"{name}.txt").write_text(text, encoding="utf-8")
    return read_annotations(root)


def test_boxes_are_shares_of_the_image(root: Path) -> None:
    found = read_annotations(root)
    assert len(found.annotations) == 6 and not found.problems and not found.remarks
    first = found.annotations[0]
    assert first.names == ("dog",) and (first.width, first.height) == (40, 30)
    np.testing.assert_allclose(first.boxes, [BOX], rtol=1e-6)
    assert read_sound(ReadRules(root)).classes == ["dog"]


def test_labels_beside_images_with_names(tmp_path: Path) -> None:
    """As LabelImg writes them; without names, a text beside a picture may be a caption."""
    for number in range(4):
        label(tmp_path / "photos", f"{number}")
    with pytest.raises(DataError, match=r"holds no annotations.*YOLO's labels"):
        read_annotations(tmp_path / "photos")
    (tmp_path / "photos" / "classes.txt").write_text("\ufeffcat\ndog\n", encoding="utf-8")
    (tmp_path / "photos" / "README.txt").write_text("some words")
    found = read_annotations(tmp_path / "photos")
    assert [a.names for a in found.annotations] == [("dog",)] * 4 and not found.problems


YAML = {
    "Ultralytics": ("path: .\ntrain: images/train\nval: images/val\ntest:\nnames:\n  0: no\n  1: dog\n", "images/{}"),
    "Roboflow": (
        "train: ../train/images\nval: ../valid/images\ntest: ../test/images\n\nnc: 2\nnames: ['no', 'dog']\n",
        "{}/images",
    ),
    "a list": ("train: [images/train]\nval:\n- images/val\nnames: [no, dog]\n", "images/{}"),
}


@pytest.mark.parametrize("tool", YAML)
def test_data_yaml_says_parts_and_names(tool: str, tmp_path: Path) -> None:
    text, layout = YAML[tool]
    (tmp_path / "data.yaml").write_text(text)
    for part, count in (("train", 3), ("valid" if tool == "Roboflow" else "val", 2)):
        for number in range(count):
            label(tmp_path / layout.format(part), f"{part}{number}", LINE.replace("1", str(number % 2), 1))
    for path in (tmp_path, tmp_path / "data.yaml"):
        read = read_parts(path, Division())
        assert sizes(read.parts) == {"train": 3, "val": 2} and not read.problems
        assert [one.names for one in read.parts["train"]] == [("no",), ("dog",), ("no",)]
        assert any("test: '../test/images'" in note for note in read.notes) == (tool == "Roboflow")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("train: images/train\nval: images/nowhere\nnames: [a, b]\n", "val: there is no folder 'images/nowhere' below"),
        ("train: /etc\nnames: [a, b]\n", "train: there is no folder '/etc' below"),
        ("train: ../../etc\nnames: [a, b]\n", "train: there is no folder '../../etc' below"),
        ("train: images/train\nnc: 3\nnames: [a, b]\n", "nc is '3', but there are 2 names"),
        ("train: images/train\nnames: {a: b}\n", "names: 'a': 'b' is not a number and a name"),
        ("train: images/train\nnames: word\n", "names is neither a list nor a table"),
        ("train: images/train\nval: images/train\nnames: [a, b]\n", "0.png is in the train part and in the val part"),
        ("names: [a\n", "not readable as YAML"),
        ("- 1\n", "names no folder of training images"),
        ("[" * 5000, "not readable as YAML"),
        ("a: &a [x]\ntrain: images/train\nnames: *a\n", "aliases are not read"),
    ],
)
def test_what_is_wrong_with_data_yaml_is_named(text: str, said: str, tmp_path: Path) -> None:
    for number in range(3):
        label(tmp_path / "images" / "train", f"{number}")
    (tmp_path / "data.yaml").write_text(text)
    with pytest.raises(DataError) as refused:
        read_parts(tmp_path / "data.yaml", Division())
    assert said in str(refused.value) and str(tmp_path) in str(refused.value)


@pytest.mark.parametrize("layout", ["images/{}", "{}/images", "{}"])
def test_folders_of_parts_without_data_yaml(layout: str, tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_text("cat\ndog\n")
    for part, count in (("train", 4), ("val", 2), ("test", 1)):
        for number in range(count):
            label(tmp_path / layout.format(part), f"{part}{number}")
    read = read_parts(tmp_path, Division())
    assert sizes(read.parts) == {"train": 4, "val": 2, "test": 1} and not read.problems
    assert read.parts["test"][0].names == ("dog",)


def test_images_without_labels_are_said_and_labels_without_an_image_refused(root: Path) -> None:
    (root / "labels" / "0.txt").unlink()
    (root / "labels" / "1.txt").write_text("")
    (root / "images" / "2.png").unlink()
    found = read_annotations(root)
    assert [len(a) for a in found.annotations] == [0, 0, 1, 1, 1]
    assert found.problems == [f"{root / 'labels' / '2.txt'}: a label file without an image 2.*"]
    (remark,) = found.remarks
    assert "no label file" in remark.what and remark.where == str(root / "images" / "0.png")


def test_a_label_file_of_two_images_is_nobodys(root: Path) -> None:
    picture(root / "images" / "0.jpg", 40, 30)
    found = read_annotations(root)
    assert len(found.annotations) == 5 and len(found.problems) == 2
    assert "0.txt: it is of 0.jpg and of 0.png" in found.problems[0]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("1 0.5 0.5 0.5", "line 2: 4 numbers; a box has 5 with its class"),
        ("1 0.5 0.5 0.5 0.4 0.9 0.2 0.3", "line 2: 8 numbers; a box has 5"),
        ("1 20 15 20 12", "line 2: 20 is no share of the image's size"),
        ("1 0.5 0.5 nan 0.4", "a number of '1 0.5 0.5 nan 0.4' is not finite"),
        ("dog 0.5 0.5 0.5 0.4", "'dog 0.5 0.5 0.5 0.4' is not a class and numbers"),
        ("-1 0.5 0.5 0.5 0.4", "class -1 is not a number from 0 on"),
        ("0.5 0.5 0.5 0.5 0.4", "class 0.5 is not a number from 0 on"),
        ("2 0.5 0.5 0.5 0.4", "class 2 has no name in"),
    ],
)
def test_a_line_that_is_no_object_is_named_and_the_others_are_read(line: str, said: str, root: Path) -> None:
    found = one(root, f"{LINE}\n{line}\n")
    assert [len(a) for a in found.annotations] == [1] * 6
    assert said in found.problems[0] and str(root / "labels" / "0.txt") in found.problems[0]


def test_polygons_key_points_and_confidences_are_said(root: Path) -> None:
    found = one(root, "1 0.25 0.3 0.75 0.3 0.5 0.7\n\n")
    np.testing.assert_allclose(found.annotations[0].boxes, [BOX], rtol=1e-6)
    assert ["polygons" in remark.what for remark in found.remarks] == [True]
    found = one(root, f"{LINE} 0.87\n")
    np.testing.assert_allclose(found.annotations[0].boxes, [BOX], rtol=1e-6)
    assert ["confidence" in remark.what for remark in found.remarks] == [True]
    (root / "data.yaml").write_text("names: [cat, dog]\nkpt_shape: [2, 3]\n")
    found = one(root, f"{LINE} 0.1 0.2 2 0.3 0.4 1\n")
    np.testing.assert_allclose(found.annotations[0].boxes, [BOX], rtol=1e-6)
    assert ["key points" in remark.what for remark in found.remarks] == [True]


def test_classes_without_names_are_numbers_and_said(root: Path) -> None:
    (root / "classes.txt").unlink()
    found = read_annotations(root)
    assert found.annotations[0].names == ("1",) and len(found.remarks) == 6
    assert "without names" in found.remarks[0].what


def test_lines_that_are_written_twice_count_once(root: Path) -> None:
    one(root, f"{LINE}\n{LINE}\n")
    sound = read_sound(ReadRules(root))
    assert sum(len(a) for part in sound.parts.values() for a in part) == 6
    assert any("1 boxes are written again" in note for note in sound.notes)
