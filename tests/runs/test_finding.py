"""Which run somebody means."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from dlkit.errors import UsageError
from dlkit.runs.finding import find_run
from dlkit.runs.folder import RunFolder, create


def make(workspace: Path, created: float, task: str = "toy", **fields: Any) -> RunFolder:
    record = {"name": f"run {created:g}", "state": "completed", "created": created, "task": task, "host": "x", **fields}
    return create(workspace / "runs", task, "linear", record, f'task = "{task}"\n')


@pytest.fixture
def runs(tmp_path: Path) -> list[RunFolder]:
    """Three runs, oldest first, the last of another task."""
    return [make(tmp_path, 1.0), make(tmp_path, 2.0), make(tmp_path, 3.0, task="other")]


def test_a_run_is_found_by_id_prefix_last_or_folder(tmp_path: Path, runs: list[RunFolder]) -> None:
    assert find_run(tmp_path, runs[0].id) == runs[0]
    assert find_run(tmp_path, "last") == runs[2]
    assert find_run(tmp_path / "elsewhere", str(runs[1].path)).path == runs[1].path.resolve()
    prefix = runs[0].id[:4]  # the year
    unique = next(runs[2].id[:n] for n in range(40) if sum(r.id.startswith(runs[2].id[:n]) for r in runs) == 1)
    assert find_run(tmp_path, unique) == runs[2]
    with pytest.raises(UsageError, match=f"'{prefix}' could be any of: "):
        find_run(tmp_path, prefix)
    with pytest.raises(UsageError, match=f"no run 'nothing' in .*newest: .*{runs[0].id}"):
        find_run(tmp_path, "nothing")


def test_a_run_is_found_by_its_name_where_it_alone_has_it(tmp_path: Path, runs: list[RunFolder]) -> None:
    assert find_run(tmp_path, "run 2") == runs[1]
    runs[2].update(name="run 2")
    both = re.escape(f"'run 2' could be any of: {runs[2].id} (run 2), {runs[1].id} (run 2)")
    with pytest.raises(UsageError, match=both):
        find_run(tmp_path, "run 2")
    runs[2].update(name=runs[0].id)
    assert find_run(tmp_path, runs[0].id) == runs[0]


def test_nothing_is_not_a_run(tmp_path: Path, runs: list[RunFolder], monkeypatch: pytest.MonkeyPatch) -> None:
    for run in runs[1:]:
        shutil.rmtree(run.path)
    monkeypatch.chdir(runs[0].path)
    with pytest.raises(UsageError, match="RUN is empty"):
        find_run(tmp_path, "")


def test_a_whole_id_wins_over_prefixes(tmp_path: Path, runs: list[RunFolder]) -> None:
    shutil.copytree(runs[0].path, tmp_path / "runs" / f"{runs[0].id}-copy")
    assert find_run(tmp_path, runs[0].id) == runs[0]


def test_a_run_is_found_by_the_end_of_its_id(tmp_path: Path, runs: list[RunFolder]) -> None:
    end = next(runs[0].id[-n:] for n in range(1, 40) if sum(r.id.endswith(runs[0].id[-n:]) for r in runs) == 1)
    assert find_run(tmp_path, end) == runs[0]
    twin = shutil.copytree(runs[0].path, tmp_path / "runs" / f"20200101-000000-{end}")
    with pytest.raises(UsageError, match="could be any of"):
        find_run(tmp_path, end)
    runs[1].update(name=end)
    assert find_run(tmp_path, end) == runs[1], "a name is nearer"
    assert find_run(tmp_path, twin.name).path == twin


def test_runs_before_the_last(tmp_path: Path, runs: list[RunFolder]) -> None:
    assert [find_run(tmp_path, f"last~{back}") for back in range(3)] == list(reversed(runs))
    with pytest.raises(UsageError, match=r"last~3: there are 3 runs in .*, the oldest is last~2"):
        find_run(tmp_path, "last~3")
    with pytest.raises(UsageError, match="no run 'last~x'"):
        find_run(tmp_path, "last~x")


def test_the_best_run_of_a_task(tmp_path: Path) -> None:
    def measured(best: float | None, direction: str, task: str) -> RunFolder:
        result = {
            "step": 1,
            "total_steps": 1,
            "last": best,
            "best": best,
            "metrics": {},
            "seconds": 1.0,
            "updated": 1.0,
        }
        return make(tmp_path, 1.0, task, metric="val/x", direction=direction, result=result)

    low, high, _ = (measured(value, "max", "seen") for value in (0.2, 0.9, None))
    cheap, dear = (measured(value, "min", "paid") for value in (1.0, 2.0))
    measured(None, "max", "new")
    assert (find_run(tmp_path, "seen@best"), find_run(tmp_path, "paid@best")) == (high, cheap)
    for task in ("new", "absent"):
        with pytest.raises(UsageError, match=f"no run of task '{task}' in .* has been evaluated; .*: paid, seen"):
            find_run(tmp_path, f"{task}@best")
    low.update(name="paid@best")
    assert find_run(tmp_path, "paid@best") == low, "somebody's name for it is nearer"
    assert dear != cheap


def test_many_that_may_be_meant_are_counted(tmp_path: Path) -> None:
    for moment in range(10):
        make(tmp_path, float(moment), name="same")
    with pytest.raises(UsageError, match=r"'same' could be any of: (\S+ \(same\),? ){8}and 2 more"):
        find_run(tmp_path, "same")


@pytest.mark.parametrize("reference", ["a" * 300, "a/" * 3000, "x\0y", "loop", "loop/run"])
def test_what_no_path_can_be_is_no_run(tmp_path: Path, runs: list[RunFolder], reference: str) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(UsageError, match="no run"):
        find_run(tmp_path, reference.replace("loop", f"{tmp_path}/loop"))


def test_a_folder_of_the_workspace_need_not_have_a_record(tmp_path: Path, runs: list[RunFolder]) -> None:
    """To be removed by the path that a listing gives."""
    runs[0].record.unlink()
    assert find_run(tmp_path, str(runs[0].path)).path == runs[0].path
    with pytest.raises(UsageError, match="no run"):
        find_run(tmp_path, str(tmp_path / "runs"))
