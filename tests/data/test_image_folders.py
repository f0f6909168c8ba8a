"""What lies in folders of images is read once, in its class, or counted and said; doubtful layouts are refused."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest

from dlkit.data.files import contents
from dlkit.data.image_files import FolderRules, found_images
from dlkit.data.image_folders import class_folders
from dlkit.data.options import ImageFiles
from dlkit.errors import DataError


def make(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def link(path: Path, target: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)


def test_linked_folders_are_read(tmp_path: Path) -> None:
    store = make(tmp_path / "store", *(f"{name}/{i}.png" for name in ("disc", "bar") for i in range(30)))
    root = make(tmp_path / "photos", *(f"{name}/{i}.png" for name in ("disc", "bar") for i in range(3)))
    for name in ("disc", "bar"):
        link(root / name / "more", store / name)
    link(root / "ring", make(tmp_path / "rings", "a/1.png", "2.png"))
    found = class_folders(root)
    assert [found.labels.count(label) for label in range(3)] == [33, 33, 2] and found.notes == []
    skipped = class_folders(root, rules=FolderRules(follow=False))
    assert [len(skipped), skipped.classes] == [6, ["bar", "disc"]]
    (note,) = skipped.notes
    assert note.startswith("3 linked folders are not entered") and str(root / "bar" / "more") in note


def test_a_folder_is_read_once_however_many_links_lead_to_it(tmp_path: Path) -> None:
    root = make(tmp_path / "photos", "a/1.png", "b/2.png")
    link(root / "a" / "again", root / "b")
    link(root / "a" / "up", root)
    other = make(tmp_path / "other", "3.png")
    link(root / "a" / "one", other)
    link(root / "b" / "two", other)
    link(other / "loop", other)
    found = class_folders(root)
    assert [path.name for path in found.paths] == ["1.png", "3.png", "2.png"] and found.labels == [0, 0, 1]
    (note,) = found.notes
    assert note.startswith("4 linked folders are not entered") and str(root / "a" / "again") in note


def test_links_that_lead_nowhere_are_counted(tmp_path: Path) -> None:
    root = make(tmp_path / "photos", "a/1.png", "b/2.png")
    for i in range(3):
        link(root / "a" / f"gone{i}.png", tmp_path / "annex" / str(i))
    (note,) = class_folders(root).notes
    assert note == f"3 links lead nowhere and are left out; the first: {root / 'a' / 'gone0.png'}"


def test_what_is_no_image_by_its_suffix_is_counted(tmp_path: Path) -> None:
    root = make(tmp_path, "a/1.jfif", "a/2.JPE", "a/3.heic", "a/4.psd", "a/notes", "a/.hidden.txt")
    images, notes = found_images(root, FolderRules(suffixes={".jfif", ".jpe"}))
    assert [path.name for path in images] == ["1.jfif", "2.JPE"]
    (note,) = (note for note in notes if "passed over" in note)
    assert note.startswith("3 other files are passed over (1 .heic, 1 .psd, 1 without suffix); the first: ")
    assert len(found_images(root, FolderRules(suffixes={".psd"}))[0]) == 1


def test_images_that_nothing_decodes_are_said_with_what_would(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dlkit.data.image_files.unreadable_suffixes", lambda: frozenset({".heic"}))
    images, notes = found_images(make(tmp_path, "1.heic", "2.jpg"))
    assert [path.name for path in images] == ["2.jpg"]
    assert notes[0].startswith("1 other files are passed over (1 .heic)") and "pillow-heif does HEIC" in notes[1]


def test_two_spellings_of_a_class_are_one(tmp_path: Path) -> None:
    one, other = "barré", unicodedata.normalize("NFD", "barré")
    root = make(tmp_path / "all", f"{one}/1.png", f"{other}/2.png", "disc/3.png")
    found = class_folders(root)
    assert found.classes == [one, "disc"] and found.labels == [0, 0, 1]
    assert "1 classes have folders that are spelled with different code points" in found.notes[0]
    assert class_folders(root, ["disc", one]).labels == [1, 1, 0]
    assert class_folders(root, rules=FolderRules(composed=False)).classes == [other, one, "disc"]


def test_a_name_that_is_not_utf_8_is_shown_with_a_replacement(tmp_path: Path) -> None:
    make(tmp_path, "a/1.png")
    for name in (b"barr\xe9", b"barr\xe8"):
        make(tmp_path, f"{os.fsdecode(name)}/2.png")
        if name.endswith(b"\xe9"):
            assert class_folders(tmp_path).classes == ["a", "barr\ufffd"]
    with pytest.raises(DataError, match=r"are all shown as barr\ufffd: b'barr.xe8', b'barr.xe9'; rename"):
        class_folders(tmp_path)


def test_a_path_that_is_not_utf_8_is_refused_with_its_reason() -> None:
    with pytest.raises(ValueError, match="caf\ufffd holds bytes that are not UTF-8"):
        ImageFiles(path="caf\udce9")


@pytest.mark.parametrize(
    ("names", "doubtful"),
    [
        (("one/a/1.png", "one/b/1.png", "two/a/1.png", "two/b/1.png"), True),
        (("photos/a/1.png", "photos/b/1.png"), True),
        (("a/2019/1.png", "a/2020/1.png", "b/1.png"), True),
        (("a/deep/er/1.png", "b/1.png"), False),
        (("a/1.png", "a/old/1.png", "a/new/1.png", "b/2.png"), False),
    ],
)
def test_folders_of_folders_are_refused_with_what_was_seen(
    tmp_path: Path, names: tuple[str, ...], doubtful: bool
) -> None:
    root = make(tmp_path, *names)
    if doubtful:
        with pytest.raises(DataError) as told:
            class_folders(root)
        first = names[0].split("/")
        assert f"{first[0]}/{first[1]}" in str(told.value) and "dataset.doubtful = take" in str(told.value)
    assert len(class_folders(root, rules=FolderRules(strict=False))) == len(names)


def test_images_beside_the_folders_are_said(tmp_path: Path) -> None:
    found = class_folders(make(tmp_path, "a/1.png", "b/2.png", "3.png"))
    assert len(found) == 2 and "1 images lie beside the classes' folders" in found.notes[0]


def test_folders_without_end_are_refused(tmp_path: Path) -> None:
    deep = tmp_path
    for _ in range(110):
        deep = deep / "d"
    deep.mkdir(parents=True)
    with pytest.raises(DataError, match="nested more than 100 deep"):
        contents(tmp_path)
