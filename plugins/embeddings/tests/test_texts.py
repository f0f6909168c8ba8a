"""Folders that say which part is which."""

from __future__ import annotations

from pathlib import Path

import pytest

from dlkit.errors import DataError
from dlkit_embeddings.texts import book_folders, own_folders


def made(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).mkdir()
    return root


def test_part_folders_go_by_the_names_that_every_task_knows(tmp_path: Path) -> None:
    found = own_folders(made(tmp_path, "train", "valid", "test"))
    assert {part: folder.name for part, folder in found.items()} == {"train": "train", "val": "valid", "test": "test"}
    assert list(found) == ["train", "val", "test"]


@pytest.mark.parametrize("names", [(), ("train",), ("train", "test"), ("train", "val", "poems")])
def test_what_is_not_divided_by_folders_is_one_text(names: tuple[str, ...], tmp_path: Path) -> None:
    assert not own_folders(made(tmp_path, *names))
    (tmp_path / "text.txt").touch()
    assert not own_folders(tmp_path / "text.txt") and not own_folders(tmp_path / "absent")


def test_two_folders_of_one_part_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="both val and validation are val parts"):
        own_folders(made(tmp_path, "train", "val", "validation"))


def test_books_may_lie_beside_other_things(tmp_path: Path) -> None:
    assert list(book_folders(made(tmp_path, "train", "val", "notes"))) == ["train", "val"]
    assert list(book_folders(made(tmp_path, "test"))) == ["train", "val", "test"]
