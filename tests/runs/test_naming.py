"""The name of a run: given to runs that nobody writes, and only such as a list can show."""

from __future__ import annotations

from pathlib import Path

import pytest

from dlkit.errors import RunError, UsageError
from dlkit.runs.folder import FORMAT, RunFolder
from dlkit.runs.lock import RunLock
from dlkit.runs.naming import rename
from toy import toy_run


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return toy_run(tmp_path / "workspace")


def test_a_name_is_given_and_taken_back(run: RunFolder) -> None:
    assert rename(run, "  the first  ") == f"{run.id} is now named 'the first'"
    assert run.read()["name"] == "the first"
    assert rename(run, "") == f"{run.id} has no name now"
    assert run.read()["name"] == ""


@pytest.mark.parametrize("name", ["two\nlines", "a\x1b[31mb", "\u202eturned"])
def test_a_name_that_no_list_can_show_is_refused(run: RunFolder, name: str) -> None:
    before = run.read()
    with pytest.raises(UsageError, match="one line of printable text"):
        rename(run, name)
    assert run.read() == before


def test_a_run_that_somebody_writes_is_left_alone(run: RunFolder) -> None:
    run.update(state="running", host="another machine")
    with pytest.raises(RunError, match="runs on another machine: do this there"):
        rename(run, "x")
    run.update(state="completed", format=FORMAT + 1)
    with pytest.raises(RunError, match="newer dlkit"):
        rename(run, "x")
    with RunLock(run.lock), pytest.raises(RunError, match="is running"):
        rename(run, "x")
