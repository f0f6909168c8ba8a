"""What a run will take, asked from outside: a process that dies is an answer; GPU memory that is found by trying."""

from __future__ import annotations

import resource
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dlkit.bounded import read_toml
from dlkit.catalog import Catalog
from dlkit.config import Layer, Resolved, resolve
from dlkit.engine.probe.asking import Child, Died, child
from dlkit.engine.probe.process import Tries
from dlkit.errors import DataError, UsageError
from dlkit.gpus import Gpu
from dlkit.jobs import estimating, handover
from dlkit.jobs.allocate import Machine
from dlkit.jobs.estimating import advice, asked, estimate, settled
from dlkit.jobs.job_record import Submission, job_of
from dlkit.jobs.submit import submit
from dlkit.runs.estimates import Estimate
from jobsite import imported
from probing import Here

__all__ = ["imported"]

GIB = 1 << 30


def resolved(*layers: dict[str, Any], **engine: Any) -> Resolved:
    there = [Layer("test", layer) for layer in layers]
    own = Layer("test", {"engine": {"device": "cpu", "threads": 1, **engine}})
    return resolve(Catalog.load_everything(), "toy", [*there, own])


@pytest.mark.usefixtures("plugins", "imported")
def test_a_process_that_is_killed_for_memory_is_an_answer(tmp_path: Path) -> None:
    wanted = resolved({"loss": {"name": "troubled", "scarce": 1}})
    with child(tmp_path) as process, pytest.raises(Died, match="memory"):
        process.ask("estimate", wanted, seconds=0.05)
    dying = resolved({"loss": {"name": "troubled", "abort_at": 2}})
    with child(tmp_path) as process, pytest.raises(Died, match=r"(signal|code) .* in training") as died:
        process.ask("estimate", dying, seconds=0.05)
    assert died.value.stage == "training" and not list(tmp_path.iterdir())


def test_an_address_space_that_is_too_small_is_an_answer(tmp_path: Path, plugins: None) -> None:
    """A real process, bounded from outside when it is ready: the model is larger than what is left to it."""
    wanted = resolved({"model": {"name": "mlp", "width": 1 << 14}})
    with child(tmp_path) as process:
        used = int(Path(f"/proc/{process.pid}/statm").read_text().split()[0]) * resource.getpagesize()
        resource.prlimit(process.pid, resource.RLIMIT_AS, (used + (1 << 28),) * 2)
        with pytest.raises(Died, match=r"memory|signal"):
            process.ask("estimate", wanted, seconds=0.05)


@pytest.mark.usefixtures("plugins")
def test_what_does_not_fit_comes_with_what_to_change(tmp_path: Path) -> None:
    scarce = resolved({"loss": {"name": "troubled", "scarce": 12}})
    found = asked(Here(Tries(tmp_path, offline=True)), scarce, seconds=0.05)
    assert not found.fits and "(in training)" in found.problem and found.seconds is None
    assert found.advice[0].startswith("--batch-size 8: --accumulate 2") and "--batch-find" in found.advice[0]
    assert advice(resolved(), "an evaluation") == ["--engine.eval-batch-size 250: the evaluation took it"]
    assert [line.split()[0] for line in advice(resolved(), "building")] == ["a"], "no batch makes a model smaller"
    assert [line.split()[0] for line in advice(resolved(), "training")] == ["--batch-size", "a"]


@pytest.mark.usefixtures("plugins", "one_gpu")
def test_where_the_device_has_its_own_memory_the_data_may_stay_outside() -> None:
    assert advice(resolved(device="auto"), "training")[1].startswith("--engine.data-on host")


@pytest.mark.usefixtures("plugins")
def test_data_that_are_not_here_are_not_fetched_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = Here(Tries(tmp_path, offline=True))
    monkeypatch.setattr(estimating, "child", here)
    monkeypatch.setattr(here, "ask", _lacks_data)
    with pytest.raises(DataError, match=r"source 'far' is not there\. Nothing is downloaded to tell how long it takes"):
        estimate(resolved(), tmp_path)


def _lacks_data(*_: object, **__: object) -> None:
    raise DataError("source 'far' is not there")


@pytest.mark.usefixtures("plugins", "imported")
def test_it_can_be_ended_from_outside(tmp_path: Path) -> None:
    """As the form does when it is changed."""
    found = estimate(resolved(epochs=1000), tmp_path, seconds=1e9, begun=_ends_in_training)
    assert not found.fits and "signal 9" in found.problem


def _ends_in_training(process: Child) -> None:
    ask = process.ask

    def asked_and_ended(do: str, wanted: Resolved, say: Callable[[str], None] = print, **fields: Any) -> Any:
        return ask(do, wanted, lambda stage: process.end() if stage == "training" else None, **fields)

    process.ask = asked_and_ended  # type: ignore[method-assign]


def machine(*gpus: Gpu) -> Machine:
    return Machine(gpus, [], 1)


@pytest.fixture
def one_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = Gpu(0, "GPU-1", "Big", 80 * GIB, 80 * GIB, {})
    monkeypatch.setattr(estimating, "machine_now", lambda slots: machine(gpu))
    monkeypatch.setattr(estimating, "_told", {})


@pytest.mark.usefixtures("plugins", "one_gpu")
def test_gpu_memory_is_found_by_trying_once_and_is_on_record(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = Estimate(seconds=12.5, starting=2.0, steps=18, memory=GIB, device_memory=3 * GIB, disk=1000)
    tried: list[str] = []
    monkeypatch.setattr(estimating, "estimate", lambda wanted, where: tried.append(wanted.task.name) or known)
    wanted, talk = resolved({"job": {"gpu_memory": "auto"}}, device="auto"), list[str]()
    catalog = Catalog.load_everything()
    runs = [submit(catalog, wanted, workspace, Submission(True), say=talk.append) for _ in range(2)]
    assert tried == ["toy"], "the second is of the same kind"
    assert talk[-1] == "gpu_memory auto: 3.3 GiB (a few steps took 3.0 GiB)"
    for run in runs:
        assert job_of(run.read())["gpu_memory"] == 3392 << 20
        assert read_toml(run.config)["job"]["gpu_memory"] == "3392MiB"
        assert run.read()["estimate"] == known.record()


@pytest.mark.usefixtures("plugins", "one_gpu")
def test_gpu_memory_that_cannot_be_told_is_asked_for_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = Estimate(fits=False, problem="out of memory (in training)")
    monkeypatch.setattr(estimating, "estimate", lambda wanted, where: full)
    wanted = resolved({"job": {"gpu_memory": "auto"}}, device="auto")
    with pytest.raises(UsageError, match=r"out of memory \(in training\)\. Give an amount \(--gpu-memory 4GiB\)"):
        settled(wanted, tmp_path)
    monkeypatch.setattr(estimating, "_told", {})
    monkeypatch.setattr(estimating, "estimate", lambda wanted, where: replace(full, fits=True, problem=""))
    with pytest.raises(UsageError, match="the device does not tell"):
        settled(wanted, tmp_path)


@pytest.mark.usefixtures("plugins")
def test_without_a_gpu_none_of_its_memory_is_asked_for(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimating, "machine_now", lambda slots: machine())
    talk: list[str] = []
    wanted = resolved({"job": {"gpu_memory": "auto"}})
    how = handover.queued(workspace)
    monkeypatch.setattr(handover, "started", lambda run, submission: handover.HandedOver(run, True))
    run = handover.hand_over(Catalog.load_everything(), wanted, workspace, how, say=talk.append).run
    assert talk == ["gpu_memory auto: there is no GPU for it (it trains on cpu), so none of its memory is asked for"]
    assert job_of(run.read())["gpu_memory"] is None and "gpu_memory" not in read_toml(run.config).get("job", {})
    assert "estimate" not in run.read()
