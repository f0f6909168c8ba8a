"""Images are divided by their owner's lists and groups, and what two parts have in common is said."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from dlkit.data.equals import equal_notes, kept_for_training, of_files, of_pixels
from dlkit.data.image_division import image_groups, own_division
from dlkit.data.options import ImageFiles
from dlkit.errors import DataError

ROOT = Path("/photos")


def options(**fields: object) -> ImageFiles:
    return ImageFiles(path=str(ROOT), val_fraction=0.25, test_fraction=0.25, **fields)  # type: ignore[arg-type]


def paths(*names: str) -> list[Path]:
    return [ROOT / name for name in names]


PATIENTS = paths(
    *(f"{kind}/p{patient:02}_{i}.png" for kind in ("sick", "well") for patient in range(8) for i in (1, 2))
)


@pytest.mark.parametrize(("group", "count"), [(r"p(\d+)_", 8), (r"p\d\d", 8), (r"^(\w+)/p(?:\d+)", 2)])
def test_a_group_is_in_one_part(group: str, count: int) -> None:
    labels = [path.parts[-2] == "well" for path in PATIENTS]
    groups = image_groups(PATIENTS, ROOT, options(group=group))
    assert groups is not None and len(set(groups)) == count
    if count < 3:
        return
    parts, (note,) = own_division(PATIENTS, ROOT, options(group=group), labels)
    assert sorted(i for index in parts.values() for i in index) == list(range(32)) and note.startswith("8 groups")
    owners = [{groups[i] for i in index} for index in parts.values()]
    assert sum(map(len, owners)) == 8 and all(owners)
    given, _ = own_division(PATIENTS, ROOT, options(group=group), labels, given={"test"})
    assert given.keys() == {"train", "val"}
    assert own_division(PATIENTS, ROOT, options(group=group), labels, given={"test", "val"}) == ({}, [])


def test_folders_are_groups() -> None:
    assert image_groups(paths("a/1.png", "a/b/2.png", "3.png"), ROOT, options(group="folder")) == ["a", "a/b", ""]
    assert image_groups(paths("a/1.png"), ROOT, options()) is None


def test_what_is_in_no_group_is_named() -> None:
    with pytest.raises(DataError, match=r"1 of 2 images are in no group(.|\n)*x/1\.png(.|\n)*dataset\.group"):
        image_groups(paths("a/p1.png", "x/1.png"), ROOT, options(group=r"p\d"))
    with pytest.raises(ValidationError, match="is no regular expression"):
        options(group="(")


def test_lists_divide(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text("a/1.png\n2\n./3.png\n")
    (tmp_path / "val.txt").write_text("4.png\n")
    found = paths("a/1.png", "b/2.png", "b/3.png", "b/4.png", "b/5.png")
    lists = {f"{part}_list": str(tmp_path / f"{part}.txt") for part in ("train", "val")}
    parts, (note,) = own_division(found, ROOT, options(**lists))
    assert parts["train"].tolist() == [0, 1, 2] and parts["val"].tolist() == [3]
    assert note == "1 of 5 images are in no list and left out"
    del lists["val_list"]
    parts, _ = own_division(found, ROOT, options(**lists))
    assert sorted([*parts["train"], *parts["val"]]) == [0, 1, 2] and len(parts["val"]) == 1
    (tmp_path / "train.txt").write_text("a/1.png\nnone\n")
    with pytest.raises(DataError, match=r"1 names in lists are of no image(.|\n)*train\.txt: no image 'none'"):
        own_division(found, ROOT, options(**lists))
    (tmp_path / "train.txt").write_text("\n")
    with pytest.raises(DataError, match=r"train\.txt: names no image for the train part"):
        own_division(found, ROOT, options(**lists))


def pictures(*levels: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.array(levels, np.uint8)[:, None, None, None] * np.ones((1, 1, 2, 2), np.uint8)


def test_equal_images_of_two_parts_are_counted_and_said() -> None:
    levels: dict[str, Sequence[int]] = {"train": (1, 2, 3, 3), "val": (4, 2), "test": (3, 3, 4, 5)}
    digests = {part: of_pixels(pictures(*some)) for part, some in levels.items()}
    names = {part: [f"{part}{i}" for i in range(len(some))] for part, some in levels.items()}
    kept, dropped, between = equal_notes(digests, names, dropped=False)
    assert kept.startswith("1 of 2 val images are equal to train images (first: val1 and train1)")
    assert dropped.startswith("2 of 4 test images are equal to train images (first: test0 and train2)")
    assert "dataset.equal = drop" in dropped and between.startswith("1 of 4 test images are equal to val images")
    assert kept_for_training(digests).tolist() == [0]
    assert "they are left out of training" in equal_notes(digests, names, dropped=True)[0]
    assert equal_notes({"train": digests["train"], "val": of_pixels(pictures(9))}, names, dropped=True) == []


def test_files_are_equal_by_their_bytes(tmp_path: Path) -> None:
    for name, data in {"a": b"one", "b": b"other", "c": b"two", "d": b"other"}.items():
        (tmp_path / name).write_bytes(data)
    parts = {"train": [tmp_path / "a", tmp_path / "b"], "test": [tmp_path / "c", tmp_path / "d"]}
    digests = of_files(parts)
    assert digests["train"][1] == digests["test"][1] and len({*digests["train"], *digests["test"]}) == 3
