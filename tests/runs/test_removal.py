"""Deleting a run: whole or not at all, and only what is a run that nobody writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from dlkit.errors import RunError, UsageError
from dlkit.runs.folder import RunFolder, disk_use
from dlkit.runs.lock import RunLock
from dlkit.runs.removal import check_removable, delete_run
from toy import toy_run


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return toy_run(tmp_path / "workspace")


def test_nothing_is_left_of_a_deleted_run(run: RunFolder) -> None:
    check_removable(run)
    delete_run(run)
    assert not list(run.path.parent.iterdir())


def test_a_damaged_run_can_be_deleted_and_another_folder_cannot(run: RunFolder, tmp_path: Path) -> None:
    run.record.write_text("{")
    check_removable(run)
    with pytest.raises(UsageError, match="is not a run"):
        check_removable(RunFolder(tmp_path))


def test_a_run_that_somebody_writes_stays(run: RunFolder) -> None:
    with RunLock(run.lock), pytest.raises(RunError, match="is running"):
        delete_run(run)
    assert run.read()["state"] == "completed"


def test_links_count_for_themselves_alone(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * 1000)
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "small").write_bytes(b"x" * 10)
    (folder / "link").symlink_to(tmp_path / "large")
    assert 10 < disk_use(str(folder)) < 1000


def test_an_empty_folder_may_be_removed(tmp_path: Path) -> None:
    """It is listed as damaged; what somebody keeps there is not."""
    run = RunFolder(tmp_path / "runs" / "x")
    run.path.mkdir(parents=True)
    (run.path / "kept").write_text("")
    with pytest.raises(UsageError, match="is not a run"):
        check_removable(run)
    (run.path / "kept").unlink()
    check_removable(run)
    delete_run(run)
    assert not run.path.exists()
