"""COCO files as tools and people write them: read, or refused by name; never attached to the wrong image or class."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from annotated import coco
from dlkit.data.annotated import Division, read_parts
from dlkit.data.annotated_images import ReadRules, SoundParts, read_sound
from dlkit.data.annotations.coco import read_coco
from dlkit.data.annotations.reading import read_annotations
from dlkit.errors import DataError

CAT, DOG = ("cat", 3.0, 4.0, 13.0, 24.0), ("dog", 15.0, 2.0, 35.0, 12.0)
IMAGES = {f"{i}.png": [CAT, DOG] for i in range(6)}


def changed(file: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))
    return file


def sound(path: Path, **rules: Any) -> SoundParts:
    return read_sound(ReadRules(path, Division(test_fraction=0), **rules))


def count(found: SoundParts) -> int:
    return sum(len(one) for part in found.parts.values() for one in part)


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("images", "image id 2 occurs twice (file_name '1.png' and '2.png')"),
        ("categories", "category id 1 occurs twice (name 'cat' and 'dog')"),
        ("annotations", "annotation id 2 occurs twice"),
    ],
)
def test_an_id_that_occurs_twice_is_refused_whatever_is_skipped(key: str, said: str, tmp_path: Path) -> None:
    def collide(content: dict[str, Any]) -> None:
        for number, record in enumerate(content[key], 1):
            record["id"] = min(number, 2) if key != "categories" else 1

    file = changed(coco(tmp_path / "all.json", IMAGES), collide)
    with pytest.raises(DataError) as refused:
        sound(tmp_path, skip=True)
    assert said in str(refused.value) and str(file) in str(refused.value)


def test_boxes_that_are_written_twice_count_once_and_are_counted(tmp_path: Path) -> None:
    def twice(content: dict[str, Any]) -> None:
        content["annotations"] += [{**one, "id": one["id"] + 100} for one in content["annotations"]]

    changed(coco(tmp_path / "all.json", IMAGES), twice)
    found = sound(tmp_path)
    assert count(found) == 12
    (note,) = [note for note in found.notes if "dataset.repeated" in note]
    assert note.startswith("12 boxes are written again") and "all.json: cat (3, 4, 13, 24) on" in note
    kept = sound(tmp_path, repeated="keep")
    assert count(kept) == 24 and not any("dataset.repeated" in note for note in kept.notes)


def test_equal_boxes_of_two_classes_or_marks_are_two_objects(tmp_path: Path) -> None:
    boxes = [CAT, ("dog", *CAT[1:]), CAT]
    file = coco(tmp_path / "all.json", {f"{i}.png": boxes for i in range(3)})
    changed(file, lambda content: [one.update(iscrowd=1) for one in content["annotations"][2::3]])
    assert count(sound(tmp_path)) == 9


def test_two_records_of_one_image_are_named_and_neither_is_taken(tmp_path: Path) -> None:
    changed(coco(tmp_path / "all.json", IMAGES), lambda content: content["images"][1].update(file_name="0.png"))
    with pytest.raises(DataError, match=r"all\.json: 0\.png is there 2 times"):
        sound(tmp_path)
    found = sound(tmp_path, skip=True)
    assert count(found) == 8 and any("0.png is there 2 times" in note for note in found.notes)


def test_an_image_is_not_in_two_parts(tmp_path: Path) -> None:
    for part, names in (("train", "012"), ("val", "23")):
        coco(tmp_path / f"{part}.json", {f"{i}.png": [CAT] for i in names})
    with pytest.raises(DataError, match=r"2\.png is in the train part and in the val part"):
        read_parts(tmp_path, Division())


def test_images_that_no_annotation_speaks_of_are_said(tmp_path: Path) -> None:
    changed(coco(tmp_path / "all.json", IMAGES), lambda content: content.update(images=content["images"][:4]))
    changed(tmp_path / "all.json", lambda content: content.update(annotations=content["annotations"][:8]))
    notes = read_parts(tmp_path, Division()).notes
    assert [note for note in notes if "no annotation" in note] == [
        f"2 images have no annotation and are left out; the first: {tmp_path / '4.png'}"
    ]


@pytest.mark.parametrize("folder", ["images", "."])
def test_backslashes_are_folders(folder: str, tmp_path: Path) -> None:
    """As Label Studio writes them on Windows; with and without the folder that they speak of."""
    file = coco(tmp_path / "all.json", {f"{folder}/{i}.png": [CAT] for i in range(3)})

    def write(content: dict[str, Any]) -> None:
        for number, image in enumerate(content["images"]):
            image["file_name"] = f"images\\{number}.png"

    found = read_coco(changed(file, write))
    assert [one.image.name for one in found.annotations] == ["0.png", "1.png", "2.png"] and not found.problems
    assert any("backslashes" in remark.what and "'images\\\\0.png'" in remark.where for remark in found.remarks)
    assert any("last part" in remark.what for remark in found.remarks) == (folder == ".")


@pytest.mark.parametrize("name", ["..\\a.png", "C:\\photos\\a.png", "\\\\server\\a.png", "\\a.png"])
def test_a_name_with_backslashes_leads_nowhere_else_either(name: str, tmp_path: Path) -> None:
    file = coco(tmp_path / "all.json", {"a.png": [CAT]})
    changed(file, lambda content: content["images"][0].update(file_name=name))
    (problem,) = read_coco(file).problems
    assert "leads out of its folder" in problem


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_what_windows_writes_is_read(encoding: str, tmp_path: Path) -> None:
    file = coco(tmp_path / "all.json", IMAGES)
    file.write_bytes(file.read_text().replace('"cat"', '"chaîne"').encode(encoding))
    assert read_coco(file).annotations[0].names == ("chaîne", "dog")


@pytest.mark.parametrize("images", ["images/default", "images", "default"])
def test_cvats_layout(images: str, tmp_path: Path) -> None:
    file = coco(tmp_path / images / "x.json", IMAGES)
    (tmp_path / "annotations").mkdir()
    file.rename(tmp_path / "annotations" / "instances_default.json")
    (tmp_path / "annotations" / "person_keypoints_default.json").write_text("{}")
    found = read_annotations(tmp_path)
    assert len(found.annotations) == 6 and not found.problems and not found.remarks


def test_cvats_subsets_are_parts(tmp_path: Path) -> None:
    for part, names in (("Train", "012"), ("Validation", "34"), ("Test", "5")):
        file = coco(tmp_path / "images" / part / "x.json", {f"{i}.png": [CAT] for i in names})
        (tmp_path / "annotations").mkdir(exist_ok=True)
        file.rename(tmp_path / "annotations" / f"instances_{part}.json")
    found = read_parts(tmp_path, Division())
    assert {part: len(of) for part, of in found.parts.items()} == {"train": 3, "val": 2, "test": 1}


def test_the_box_of_a_polygon_is_taken_and_said(tmp_path: Path) -> None:
    def without(content: dict[str, Any]) -> None:
        del content["annotations"][0]["bbox"]
        content["annotations"][0]["segmentation"] = [[5, 6, 9, 4, 7, 12.5], [6, 6, 8, 7, 7, 11]]
        content["annotations"][1].update(bbox=[], segmentation=[15, 2, 35, 2, 35, 12])

    found = read_coco(changed(coco(tmp_path / "all.json", IMAGES), without))
    assert not found.problems
    np.testing.assert_array_equal(found.annotations[0].boxes, [[5, 4, 9, 12.5], [15, 2, 35, 12]])
    assert [remark.where for remark in found.remarks] == [
        f"{tmp_path / 'all.json'}: 0.png: annotation {number}" for number in (0, 1)
    ]


def test_names_of_several_categories_are_one_class_and_said(tmp_path: Path) -> None:
    """As Roboflow exports them: the project's own name is a category too."""
    changed(coco(tmp_path / "all.json", IMAGES), lambda content: content["categories"].append({"id": 9, "name": "dog"}))
    found = sound(tmp_path)
    assert found.classes == ["cat", "dog"] and any("'dog' has ids 2, 9" in note for note in found.notes)


def test_a_class_in_two_spellings_is_one(tmp_path: Path) -> None:
    one, other = "pi\u00e8ce", "pie\u0300ce"
    coco(tmp_path / "all.json", {f"{i}.png": [(other if i % 2 else one, *CAT[1:])] for i in range(8)})
    found = sound(tmp_path)
    assert found.classes == [one] and count(found) == 8
    assert any("other code points" in note and "dataset.spelling" in note for note in found.notes)
    assert sound(tmp_path, classes=[other]).classes == [one]
    assert sound(tmp_path, spelling="written").classes == sorted([one, other])


def test_images_are_found_under_another_spelling_of_their_name(tmp_path: Path) -> None:
    """A Mac decomposes the names of its files; Windows takes capitals for small letters."""
    file = coco(tmp_path / "all.json", {"ete\u0301.png": [CAT], "b.PNG": [DOG]})

    def write(content: dict[str, Any]) -> None:
        for image, name in zip(content["images"], ("et\u00e9.png", "B.png"), strict=True):
            image["file_name"] = name

    found = read_coco(changed(file, write))
    assert len(found.annotations) == 2 and not found.problems
    assert len([remark for remark in found.remarks if "another spelling" in remark.what]) == 2


def test_images_without_objects_are_said(tmp_path: Path) -> None:
    coco(tmp_path / "all.json", {**IMAGES, "none.png": []})
    (note,) = [note for note in sound(tmp_path).notes if "no object" in note]
    assert note.startswith("1 of 7 images have no object") and "none.png" in note
