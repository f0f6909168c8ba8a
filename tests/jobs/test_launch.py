"""The one way to start and to resume: who trains, what is there when it cannot be, and what is imported for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dlkit.catalog import Catalog
from dlkit.config import Layer, Resolved, resolve
from dlkit.errors import RunError, UsageError
from dlkit.events import Finished
from dlkit.gpus import Gpu
from dlkit.jobs import handover, launch
from dlkit.jobs.handover import HandedOver, detached, queued
from dlkit.jobs.launch import Foreground, Here, InWorker
from dlkit.runs.folder import RunFolder
from toy import toy_catalog, toy_run

SEVERAL: dict[str, Any] = {"job": {"nproc": 2}}


@pytest.fixture
def catalog() -> Catalog:
    return toy_catalog()


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of runs whose worker was started, and ``scheduler``: nothing is started really."""
    found: list[str] = []
    for module in (launch, handover):
        monkeypatch.setattr(module, "start_worker", lambda run, **how: found.append(run.id))
    monkeypatch.setattr(handover, "wake", lambda workspace: found.append("scheduler"))
    return found


def configured(catalog: Catalog, **sections: dict[str, Any]) -> Resolved:
    return resolve(catalog, "toy", [Layer("test", {"engine": {"epochs": 1, "device": "cpu"}, **sections})])


def runs(workspace: Path) -> list[RunFolder]:
    return [RunFolder(path) for path in (workspace / "runs").glob("*")]


def test_one_process_is_enough_for_most(catalog: Catalog, tmp_path: Path) -> None:
    here = launch.train(catalog, configured(catalog), tmp_path, Foreground(), name="mine")
    assert isinstance(here, Here)
    assert here.run.read()["name"] == "mine"
    *_, last = here.events()
    assert isinstance(last, Finished)
    again = launch.resume(catalog, here.run, Foreground(), overrides=Layer("flag", {"engine": {"epochs": 2}}))
    assert isinstance(again, Here)
    assert again.attempt.resume is not None
    *_, last = again.events()
    assert isinstance(last, Finished)
    assert last.status == "completed"


def test_several_processes_take_a_worker_which_begins_when_it_is_asked_to(
    catalog: Catalog, tmp_path: Path, started: list[str]
) -> None:
    job = launch.train(catalog, configured(catalog, **SEVERAL), tmp_path, Foreground(offline=True))
    assert isinstance(job, InWorker)
    record = job.run.read()
    assert (record["state"], record["job"]["queued"], record["job"]["offline"]) == ("queued", False, True)
    assert started == []
    job.start()
    assert started == [job.run.id]


def test_a_trainer_that_cannot_is_refused_before_there_is_a_run(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dlkit.engine.supervised import SupervisedTrainer

    monkeypatch.setattr(SupervisedTrainer, "supports", frozenset())
    with pytest.raises(UsageError, match=r"job\.nproc"):
        launch.train(catalog, configured(catalog, **SEVERAL), tmp_path, Foreground())
    assert not runs(tmp_path)


@pytest.mark.parametrize("how", [Foreground(), detached()])
def test_more_processes_than_gpus_are_refused_before_there_is_a_run(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, started: list[str], how: Any
) -> None:
    two = [Gpu(i, f"GPU-{i}", "H200", 80, 80, {}) for i in range(2)]
    monkeypatch.setattr("dlkit.jobs.allocate.gpus", lambda: two)
    four = configured(catalog, engine={"device": "auto"}, job={"nproc": 4})
    with pytest.raises(UsageError, match=r"job\.nproc = 4: each process takes a GPU, and there is: cuda:0 \(H200\), "):
        launch.train(catalog, four, tmp_path, how)
    assert not runs(tmp_path) and not started


def test_a_detached_run_is_left_to_its_worker(catalog: Catalog, tmp_path: Path, started: list[str]) -> None:
    job = launch.train(catalog, configured(catalog), tmp_path, detached(offline=True))
    assert job == HandedOver(job.run, False)
    assert started == [job.run.id]
    assert job.run.read()["job"]["offline"] is True


def test_a_queued_run_is_left_to_the_scheduler_and_says_why_it_waits(
    catalog: Catalog, tmp_path: Path, started: list[str]
) -> None:
    before = toy_run(tmp_path)
    how = queued(tmp_path, priority=3, after=["last"])
    assert how == (True, 3, [before.id], False, "", False, False, 0.0)
    job = launch.train(catalog, configured(catalog), tmp_path, how)
    assert (job.queued, job.reason) == (True, "starts next")
    assert started == ["scheduler"]
    assert job.run.read()["job"]["after"] == [before.id]
    with pytest.raises(UsageError, match="no run 'nothing'"):
        queued(tmp_path, after=["nothing"])


@pytest.mark.parametrize("queue", [True, False])
def test_a_run_is_handed_over_again(catalog: Catalog, tmp_path: Path, started: list[str], queue: bool) -> None:
    run = toy_run(tmp_path)
    more = Layer("flag", {"engine": {"epochs": 9}})
    with pytest.raises(UsageError, match="is complete: give --epochs or --steps"):
        launch.resume(catalog, run, detached())
    job = launch.resume(catalog, run, queued(tmp_path) if queue else detached(), overrides=more)
    assert (job.run, job.queued) == (run, queue)
    assert started == ["scheduler" if queue else run.id]
    assert run.read()["job"]["overrides"] == {"epochs": 9}
    with pytest.raises(RunError, match="is queued already"):
        launch.resume(catalog, run, detached())


@pytest.mark.parametrize("queue", [True, False])
def test_a_machine_that_starts_nothing_more_leaves_the_run_and_says_so(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, queue: bool
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(handover, "start_worker", full)
    monkeypatch.setattr(handover, "wake", full)
    with pytest.raises(RunError, match="is there, but nothing can be started: Resource temporarily unavailable"):
        launch.train(catalog, configured(catalog), tmp_path, queued(tmp_path) if queue else detached())
    assert [run.read()["state"] for run in runs(tmp_path)] == ["queued"]


def test_a_copied_run_is_trained_on_the_workspaces_data(catalog: Catalog, tmp_path: Path) -> None:
    run = toy_run(tmp_path / "elsewhere", epochs=1)
    more = Layer("flag", {"engine": {"epochs": 2}})
    found: list[Path] = []
    build = "dlkit.jobs.launch.make_context"
    with pytest.MonkeyPatch.context() as patch:
        real = launch.make_context
        patch.setattr(build, lambda catalog, where, **how: found.append(where) or real(catalog, where, **how))
        launch.resume(catalog, run, Foreground(), overrides=more, workspace=tmp_path)
        launch.resume(catalog, run, Foreground(), overrides=more)
    assert found == [tmp_path, tmp_path / "elsewhere"]


HAND_OVER = """
import sys
from pathlib import Path
from dlkit.config import Layer, resolve
from dlkit.jobs import handover, launch
from toy import toy_catalog

handover.start_worker = handover.wake = lambda *words, **how: None
catalog, workspace = toy_catalog(), Path(sys.argv[1])
resolved = resolve(catalog, "toy", [Layer("test", {"job": {"nproc": 2}})])
run = launch.train(catalog, resolved, workspace, handover.detached()).run
run.update(state="stopped")
launch.resume(catalog, run, handover.queued(workspace))
print(*sorted(name for name in sys.modules if name.partition(".")[0] in ("torch", "textual")))
"""


def test_handing_over_imports_no_torch(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HAND_OVER, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1])
    assert done.stdout.split() == []
