"""Annotated images are divided by folders, files, lists or ratio; no image is in two parts."""

from __future__ import annotations

from pathlib import Path

import pytest

from annotated import coco, voc
from dlkit.data.annotated import Division, Parts, read_parts
from dlkit.errors import DataError

CAT = [("cat", 3.0, 4.0, 13.0, 24.0)]


def names(read: Parts) -> dict[str, list[str]]:
    return {part: [annotation.image.stem for annotation in found] for part, found in read.parts.items()}


@pytest.fixture
def twenty(tmp_path: Path) -> Path:
    for i in range(20):
        voc(tmp_path / "set", f"{i:02}", CAT)
    return tmp_path / "set"


def test_by_ratio_all_are_somewhere_and_once(twenty: Path) -> None:
    division = Division(val_fraction=0.2, test_fraction=0.1)
    found = names(read_parts(twenty, division))
    assert {part: len(of) for part, of in found.items()} == {"train": 14, "val": 4, "test": 2}
    assert sorted(name for part in found.values() for name in part) == [f"{i:02}" for i in range(20)]
    assert found == names(read_parts(twenty, division))
    assert found != names(read_parts(twenty, Division(val_fraction=0.2, test_fraction=0.1, seed=1)))
    assert set(names(read_parts(twenty, Division(test_fraction=0)))) == {"train", "val"}


def test_by_lists(twenty: Path, tmp_path: Path) -> None:
    lists = {"train": tmp_path / "t.txt", "val": tmp_path / "v.txt", "test": tmp_path / "e.txt"}
    lists["train"].write_text("00\n01.png\n\n 02 \n00\n")
    lists["val"].write_text("05")
    lists["test"].write_text("07\n08")
    read = read_parts(twenty, Division(lists))
    assert names(read) == {"train": ["00", "01", "02"], "val": ["05"], "test": ["07", "08"]}
    assert read.notes == ["14 annotated images are in no list and left out"]
    lists["val"].write_text("05\nabsent")
    assert f"{lists['val']}: no usable annotated image 'absent'" in read_parts(twenty, Division(lists)).problems
    lists["val"].write_text("05\n01")
    with pytest.raises(DataError, match=r"v.txt: '01' is in the train list too"):
        read_parts(twenty, Division(lists))
    with pytest.raises(DataError, match=r"absent.txt: cannot be read"):
        read_parts(twenty, Division({"train": tmp_path / "absent.txt"}))


@pytest.mark.parametrize("place", ["ImageSets/Main", "."])
def test_lists_beside_the_images_are_found(twenty: Path, place: str) -> None:
    (twenty / place).mkdir(parents=True, exist_ok=True)
    (twenty / place / "train.txt").write_text("\n".join(f"{i:02}" for i in range(10)))
    (twenty / place / "test.txt").write_text("11")
    found = names(read_parts(twenty, Division()))
    assert found["test"] == ["11"] and len(found["train"]) + len(found["val"]) == 10 and found["val"]


def test_names_that_two_images_share_need_their_folder(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        voc(tmp_path / folder, "1", CAT)
        voc(tmp_path / folder, f"only-{folder}", CAT)
    (tmp_path / "train.txt").write_text("a/1\nonly-a\nonly-b")
    (tmp_path / "val.txt").write_text("1\nb/1.png")
    read = read_parts(tmp_path, Division())
    assert [annotation.image.parent.name for annotation in read.parts["val"]] == ["b"]
    assert "no usable annotated image '1'" in read.problems[0]


def test_folders_of_parts(tmp_path: Path) -> None:
    for folder, count in (("train", 3), ("valid", 2), ("test", 1)):
        for i in range(count):
            voc(tmp_path / "voc" / folder, f"{folder}{i}", CAT)
        images = {f"{folder}{i}.png": CAT for i in range(count)}
        coco(tmp_path / "coco" / folder / "_annotations.coco.json", images)
    expected = {
        "train": ["train0", "train1", "train2"],
        "val": ["valid0", "valid1"],
        "test": ["test0"],
    }
    assert names(read_parts(tmp_path / "voc", Division())) == expected
    assert names(read_parts(tmp_path / "coco", Division())) == expected
    voc(tmp_path / "voc" / "val", "more", CAT)
    with pytest.raises(DataError, match="both val and valid are val parts"):
        read_parts(tmp_path / "voc", Division())


def test_coco_files_of_parts(tmp_path: Path) -> None:
    for part, count in (("train", 5), ("val", 2)):
        images = {f"{part}{i}.png": CAT for i in range(count)}
        coco(tmp_path / "annotations" / f"instances_{part}2017.json", images)
    assert {part: len(found) for part, found in names(read_parts(tmp_path, Division())).items()} == {
        "train": 5,
        "val": 2,
    }
    coco(tmp_path / "annotations" / "instances_train2014.json", {"old.png": CAT})
    one, other = (f"annotations/instances_train{year}.json" for year in (2014, 2017))
    with pytest.raises(DataError, match=f"both {one} and {other} are train parts"):
        read_parts(tmp_path, Division())


def test_unusable_images_are_problems_and_a_set_of_none_an_error(twenty: Path, tmp_path: Path) -> None:
    (twenty / "03.xml").write_text("<annotation>")
    read = read_parts(twenty, Division())
    assert sum(map(len, read.parts.values())) == 19 and "03.xml: not readable as XML" in read.problems[0]
    only = tmp_path / "only"
    only.mkdir()
    (only / "a.xml").write_text("<annotation>")
    with pytest.raises(DataError, match=r"(?s)no usable annotated image for train and val; 1 could not be.*a\.xml"):
        read_parts(only, Division())
    voc(only, "b", CAT)
    with pytest.raises(DataError, match="no usable annotated image for"):
        read_parts(only, Division(test_fraction=0))


def test_annotations_beside_the_parts_are_not_left_out_in_silence(tmp_path: Path) -> None:
    for folder in ("train", "val", "more"):
        for i in range(2):
            voc(tmp_path / folder, f"{folder}{i}", CAT)
    with pytest.raises(DataError, match="more holds annotations too, and is no part"):
        read_parts(tmp_path, Division())


def test_folders_of_parts_are_known_in_any_writing_and_not_pooled_further_down(tmp_path: Path) -> None:
    for part, count in (("Train", 6), ("test-images", 2)):
        for i in range(count):
            voc(tmp_path / "here" / part, f"{part}{i}", [("cat", 1.0, 2.0, 9.0 + i, 12.0)])
            voc(tmp_path / "there" / "archive" / part, f"{part}{i}", [("cat", 1.0, 2.0, 9.0 + i, 12.0)])
    read = read_parts(tmp_path / "here", Division())
    assert {part: len(some) for part, some in read.parts.items()} == {"train": 5, "val": 1, "test": 2}
    assert "taken as parts: Train as train, test-images as test" in read.notes
    with pytest.raises(DataError, match=r"archive: 'Train', 'test-images' look like parts.*dataset\.train_list"):
        read_parts(tmp_path / "there", Division())
