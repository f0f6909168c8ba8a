"""dlkit.db: rebuildable, never believed against the folders, made by those who write alone."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dlkit.errors import UsageError
from dlkit.events import Notice
from dlkit.runs import index
from dlkit.runs.finding import find_run
from dlkit.runs.folder import RunFolder, Summary, create, summarise
from dlkit.runs.index import list_runs, newest_runs, note
from dlkit.runs.lock import RunLock
from dlkit.runs.own import make_key
from recorded import record_run, write_events
from toy import toy_run

ROOT = Path(__file__).parents[2]


def make(workspace: Path, created: float, task: str = "toy", state: str = "completed", **fields: Any) -> RunFolder:
    record = {"name": f"run {created:g}", "state": state, "created": created, "task": task, "host": "x", **fields}
    return create(workspace / "runs", task, "linear", record, f'task = "{task}"\n')


def rows(workspace: Path) -> list[str]:
    with sqlite3.connect(workspace / "dlkit.db") as db:
        found = [row[0] for row in db.execute("SELECT id FROM runs ORDER BY created")]
    db.close()
    return found


@pytest.fixture
def runs(tmp_path: Path) -> list[RunFolder]:
    """Three runs, oldest first, the last of another task."""
    return [make(tmp_path, 1.0), make(tmp_path, 2.0, state="failed"), make(tmp_path, 3.0, task="other")]


def test_runs_are_listed_newest_first(tmp_path: Path, runs: list[RunFolder]) -> None:
    assert [s.id for s in list_runs(tmp_path)] == [run.id for run in reversed(runs)]
    assert [s.id for s in list_runs(tmp_path, "other")] == [runs[2].id]
    newest, count = newest_runs(tmp_path, limit=2)
    assert ([s.id for s in newest], count) == ([runs[2].id, runs[1].id], 3)


@pytest.mark.parametrize("indexed", [False, True])
def test_the_index_changes_no_answer(tmp_path: Path, runs: list[RunFolder], indexed: bool) -> None:
    if indexed:
        for run in runs:
            note(tmp_path, run)
        assert rows(tmp_path) == [run.id for run in runs]
    for _ in range(2):
        assert list_runs(tmp_path) == [summarise(run) for run in reversed(runs)]


def test_listing_an_absent_or_empty_workspace_creates_nothing(tmp_path: Path, runs: list[RunFolder]) -> None:
    assert list_runs(tmp_path / "absent") == []
    assert not (tmp_path / "absent").exists()
    (tmp_path / "empty").mkdir()
    assert list_runs(tmp_path / "empty") == []
    with pytest.raises(UsageError, match="there are no runs in"):
        find_run(tmp_path / "empty", "last")
    assert list((tmp_path / "empty").iterdir()) == []
    list_runs(tmp_path)
    assert not (tmp_path / "dlkit.db").exists()


def test_listing_leaves_nothing_beside_the_index(tmp_path: Path, runs: list[RunFolder]) -> None:
    note(tmp_path, runs[0])
    list_runs(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dlkit.db", "dlkit.key", "runs"]


def test_a_deleted_index_is_made_again(tmp_path: Path, runs: list[RunFolder]) -> None:
    note(tmp_path, runs[0])
    (tmp_path / "dlkit.db").unlink()
    expected = list_runs(tmp_path)
    note(tmp_path, runs[0])
    assert list_runs(tmp_path) == expected
    assert rows(tmp_path) == [run.id for run in runs], "what is listed is kept"


def test_a_deleted_folder_is_gone_from_the_list_and_the_index(tmp_path: Path, runs: list[RunFolder]) -> None:
    for run in runs:
        note(tmp_path, run)
    shutil.rmtree(runs[1].path)
    assert [s.id for s in list_runs(tmp_path)] == [runs[2].id, runs[0].id]
    assert rows(tmp_path) == [runs[0].id, runs[2].id]


def test_a_folder_that_changed_is_read_again(tmp_path: Path, runs: list[RunFolder]) -> None:
    note(tmp_path, runs[0])
    runs[0].update(name="new name")
    assert {s.name for s in list_runs(tmp_path)} >= {"new name"}


def test_a_folder_copied_in_appears(tmp_path: Path, runs: list[RunFolder]) -> None:
    note(tmp_path, runs[0])
    shutil.copytree(runs[0].path, tmp_path / "runs" / "a-copy")
    assert "a-copy" in {s.id for s in list_runs(tmp_path)}
    assert find_run(tmp_path, "a-copy").path.name == "a-copy"


def test_what_is_alive_is_never_kept(tmp_path: Path) -> None:
    run = make(tmp_path, 1.0, state="running")
    note(tmp_path, run)
    assert rows(tmp_path) == []
    assert list_runs(tmp_path)[0].state.startswith("unknown, last event")


def _log(run: RunFolder) -> None:
    write_events(run, [Notice(time=1e9, step=100, text="said by who trained it")])


def _config(run: RunFolder) -> None:
    run.config.write_text('task = "toy"\nseed = 7\n')


def _key(run: RunFolder) -> None:
    (run.path.parent.parent / "dlkit.key").unlink()


def _elsewhere(run: RunFolder) -> None:
    record = json.loads(run.record.read_text())
    run.record.write_text(json.dumps({**record, "host": "another-machine"}))


@pytest.mark.parametrize("state", ["interrupted", "queued"])
@pytest.mark.parametrize("change", [_log, _config, _key, _elsewhere])
def test_what_waits_is_kept_until_something_changes_it(
    tmp_path: Path, state: str, change: Callable[[RunFolder], None]
) -> None:
    run = record_run(tmp_path, state=state)
    make_key(tmp_path)
    note(tmp_path, run)
    assert rows(tmp_path) == [run.id]
    assert [s.state for s in list_runs(tmp_path)] == [state]
    change(run)
    assert list_runs(tmp_path) == [summarise(run)]


def test_what_changes_a_state_that_was_kept(tmp_path: Path) -> None:
    """Not a thing that the folder alone says: the key, and the configuration that it vouches for."""
    queued = [record_run(tmp_path, number, state="queued") for number in range(2)]
    for run in queued:
        note(tmp_path, run)
    _config(queued[0])
    assert [s.state for s in list_runs(tmp_path)] == ["foreign", "queued"]
    _key(queued[0])
    assert [s.state for s in list_runs(tmp_path)] == ["foreign", "foreign"]


def test_a_run_that_goes_on_is_seen_though_its_folder_is_as_it_was(tmp_path: Path) -> None:
    run = record_run(tmp_path, state="interrupted")
    note(tmp_path, run)
    assert [s.state for s in list_runs(tmp_path)] == ["interrupted"]
    with RunLock(run.lock):
        assert [s.state for s in list_runs(tmp_path)] == ["running"]
    assert [s.state for s in list_runs(tmp_path)] == ["interrupted"]


def test_what_another_machine_concluded_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = record_run(tmp_path, state="interrupted")
    note(tmp_path, run)
    there = os.uname_result(("Linux", "another-machine", *os.uname()[2:]))
    monkeypatch.setattr(os, "uname", lambda: there)
    monkeypatch.setattr(socket, "gethostname", lambda: there.nodename)
    assert list_runs(tmp_path)[0].state.startswith("unknown")


def test_what_waits_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand of them cost what a thousand that have ended do."""
    for number, state in enumerate(("interrupted", "queued", "completed")):
        note(tmp_path, record_run(tmp_path, number, state=state))
    kept = list_runs(tmp_path)
    monkeypatch.setattr(index, "summarise", lambda run: pytest.fail(f"{run.id} is read"))
    assert list_runs(tmp_path) == kept


def test_a_damaged_run_is_listed(tmp_path: Path, runs: list[RunFolder]) -> None:
    runs[1].record.write_text("{")
    states = {s.id: s.state for s in list_runs(tmp_path)}
    assert states[runs[1].id] == "damaged"
    assert len(states) == 3


@pytest.mark.parametrize("content", [b"", b"not a database", b"SQLite format 3\0" + bytes(200)])
def test_a_damaged_index_is_passed_over(tmp_path: Path, runs: list[RunFolder], content: bytes) -> None:
    (tmp_path / "dlkit.db").write_bytes(content)
    assert len(list_runs(tmp_path)) == 3
    note(tmp_path, runs[0])
    assert len(list_runs(tmp_path)) == 3


def test_an_index_of_a_newer_version_is_passed_over_and_not_written(tmp_path: Path, runs: list[RunFolder]) -> None:
    with sqlite3.connect(tmp_path / "dlkit.db") as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    before = (tmp_path / "dlkit.db").read_bytes()
    note(tmp_path, runs[0])
    assert len(list_runs(tmp_path)) == 3
    assert (tmp_path / "dlkit.db").read_bytes() == before


READ_ONLY = """
set -e
mount --bind "$1" "$1"
mount -o remount,ro,bind "$1"
! touch "$1/proof" 2>/dev/null
exec "$2" -c 'import sys; from pathlib import Path; from dlkit.runs.index import list_runs
print([s.name for s in list_runs(Path(sys.argv[1]))])' "$1"
"""


def read_only_mounts() -> bool:
    """Whether a name space of our own may be had (to root, who runs tests in containers, nothing is read-only)."""
    if sys.platform != "linux" or shutil.which("unshare") is None:
        return False
    return subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not read_only_mounts(), reason="no mount namespace can be made here")
@pytest.mark.parametrize("indexed", [False, True])
def test_a_read_only_workspace_is_listed(tmp_path: Path, runs: list[RunFolder], indexed: bool) -> None:
    if indexed:
        note(tmp_path, runs[0])
    command = ["unshare", "-rm", "sh", "-c", READ_ONLY, "sh", str(tmp_path), sys.executable]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "['run 3', 'run 2', 'run 1']\n"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_workspace_without_the_right_to_write_is_listed(tmp_path: Path, runs: list[RunFolder]) -> None:
    note(tmp_path, runs[0])
    tmp_path.chmod(0o555)
    assert len(list_runs(tmp_path)) == 3
    note(tmp_path, runs[1])
    tmp_path.chmod(0o755)


def test_workspaces_with_odd_names_have_an_index(tmp_path: Path) -> None:
    workspace = tmp_path / "my 100% #1 folder? äöü"
    run = make(workspace, 1.0)
    note(workspace, run)
    assert rows(workspace) == [run.id]
    assert [s.id for s in list_runs(workspace)] == [run.id]


def test_a_summary_survives_the_index(tmp_path: Path) -> None:
    result = {"step": 7, "best": 0.5, "last": None, "metrics": {"val/ä": 1.5}, "seconds": 2.25}
    run = make(tmp_path, 1.0, result=result, metric="val/ä", reason="why\nnot")
    note(tmp_path, run)
    (summary,) = list_runs(tmp_path)
    assert isinstance(summary, Summary)
    assert summary == summarise(run)
    assert (summary.step, summary.metrics, summary.reason) == (7, {"val/ä": 1.5}, "why\nnot")


DAMAGE = {
    "garbage": lambda content: b"no database at all" * 100,
    "cut short": lambda content: content[: len(content) // 2],
    "a torn page": lambda content: content[:4096] + bytes(len(content) - 4096),
    "empty": lambda content: b"",
}


@pytest.mark.parametrize("damage", list(DAMAGE))
def test_a_damaged_index_is_made_again(tmp_path: Path, damage: str) -> None:
    """Whoever reads goes by the folders; the next that writes has an index again."""
    ids = {toy_run(tmp_path).id, toy_run(tmp_path).id}
    path = tmp_path / "dlkit.db"
    content = path.read_bytes()
    index.discard(path)
    path.write_bytes(DAMAGE[damage](content))
    assert {summary.id for summary in index.list_runs(tmp_path)} == ids
    ids.add(toy_run(tmp_path).id)
    assert {summary.id for summary in index.list_runs(tmp_path)} == ids
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert {row[0] for row in db.execute("SELECT id FROM runs")} == ids
    db.close()


def test_a_newer_index_is_left_alone(tmp_path: Path) -> None:
    run = toy_run(tmp_path)
    path = tmp_path / "dlkit.db"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    before = path.read_bytes()
    other = toy_run(tmp_path)
    assert {summary.id for summary in index.list_runs(tmp_path)} == {run.id, other.id}
    assert path.read_bytes() == before


def test_an_older_index_is_made_again(tmp_path: Path) -> None:
    run = toy_run(tmp_path)
    path = tmp_path / "dlkit.db"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 1")
    db.close()
    other = toy_run(tmp_path)
    found = index.list_runs(tmp_path)
    assert {summary.id for summary in found} == {run.id, other.id}
    assert all(summary.size > 10_000 for summary in found)


def test_sizes_are_those_of_the_folders(tmp_path: Path) -> None:
    run = toy_run(tmp_path)
    expected = sum(path.stat().st_size for path in run.path.rglob("*") if path.is_file())
    assert [summary.size for summary in index.list_runs(tmp_path)] == [expected]


def test_a_run_that_no_database_holds_is_listed_each_time(tmp_path: Path, runs: list[RunFolder]) -> None:
    """A folder's name need not be UTF-8, and JSON has halves of surrogate pairs."""
    note(tmp_path, runs[0])
    named = runs[1].path.rename(os.fsdecode(os.fsencode(runs[1].path) + b"-\xff"))
    runs[2].update(task="x\ud800")
    for _ in range(2):
        assert [s.id for s in list_runs(tmp_path)] == [runs[2].id, named.name, runs[0].id]
    note(tmp_path, RunFolder(named))
    assert rows(tmp_path) == [runs[0].id]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("summary", "[" * 100_000),
        ("summary", "5"),
        ("summary", '{"id": "x", "unheard": 1}'),
        ("summary", '{"id": "x", "best": "low"}'),
        ("summary", b"\xff"),
        ("created", "today"),
        ("task", b"toy"),
        ("signature", b"x"),
    ],
)
def test_a_row_that_makes_no_sense_is_read_from_its_folder(
    tmp_path: Path, runs: list[RunFolder], column: str, value: object
) -> None:
    for run in runs:
        note(tmp_path, run)
    expected = list_runs(tmp_path)
    with sqlite3.connect(tmp_path / "dlkit.db") as db:
        table = "summaries" if column == "summary" else "runs"
        db.execute(f"UPDATE {table} SET {column} = ? WHERE id = ?", (value, runs[1].id))
    db.close()
    assert list_runs(tmp_path) == expected


def test_a_link_to_itself_among_the_runs_hides_nothing(tmp_path: Path, runs: list[RunFolder]) -> None:
    (tmp_path / "runs" / "loop").symlink_to("loop")
    assert [run.state for run in list_runs(tmp_path) if run.id == "loop"] == ["damaged"]
    assert len(list_runs(tmp_path)) == 4
    assert find_run(tmp_path, runs[0].id) == runs[0]
