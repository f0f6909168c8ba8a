"""Folders of any depth are walked through and deleted, and nothing outside them is touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from deep import nested
from dlkit.folders import DEEPEST, TooDeepError, files_below, remove_tree


@pytest.mark.parametrize("levels", [0, 1, 3, 3000])
def test_a_folder_of_any_depth_is_deleted(tmp_path: Path, levels: int) -> None:
    remove_tree(nested(tmp_path / "deep", levels))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_many_folders_is_deleted(tmp_path: Path) -> None:
    for path in ("a/b/c", "a/d", "e/a/b", "e/b", ".f/.g"):
        (tmp_path / "top" / path).mkdir(parents=True)
        (tmp_path / "top" / path / "file").write_text("1")
    remove_tree(tmp_path / "top")
    assert list(tmp_path.iterdir()) == []


def test_links_are_deleted_and_never_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "mine").write_text("1")
    top = tmp_path / "top"
    (top / "in").mkdir(parents=True)
    (top / "in" / "link").symlink_to(outside)
    (top / "link").symlink_to(outside / "mine")
    (tmp_path / "linked").symlink_to(top)
    with pytest.raises(OSError, match="linked"):
        remove_tree(tmp_path / "linked")
    assert (top / "in" / "link").exists()
    remove_tree(top)
    assert (outside / "mine").read_text() == "1"
    assert not top.exists()


def test_files_are_found_however_they_lie_and_linked_folders_are_not_entered(tmp_path: Path) -> None:
    for name in ("a", "b/.c", "b/d/e"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "itself").symlink_to(tmp_path / "itself")
    (tmp_path / "other").symlink_to(tmp_path / "a")
    assert sorted(str(path.relative_to(tmp_path)) for path in files_below(tmp_path)) == ["a", "b/.c", "b/d/e", "other"]


def test_folders_in_each_other_without_end_are_an_error_of_the_system(tmp_path: Path) -> None:
    deep = nested(tmp_path / "deep", DEEPEST)
    assert len(list(files_below(deep))) == DEEPEST
    deeper = nested(tmp_path / "deeper", 3000)
    with pytest.raises(TooDeepError, match=f"more than {DEEPEST} deep"):
        list(files_below(deeper))
    remove_tree(deeper)
