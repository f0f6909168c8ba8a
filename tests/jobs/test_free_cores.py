"""The cores that a beginning run may have: those that other jobs, as claims and their folders tell, leave."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from dlkit.catalog import Catalog
from dlkit.config import Layer, resolve
from dlkit.engine import threads
from dlkit.engine.threads import Cores
from dlkit.jobs import free_cores
from dlkit.jobs.claims import hold
from dlkit.jobs.free_cores import FreeCores
from dlkit.jobs.launch import Foreground, Here, train
from dlkit.runs.folder import RunFolder, create
from dlkit.runs.run_record import RunRecord
from toy import toy_catalog

THERE = 16


@pytest.fixture(autouse=True)
def sixteen_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(free_cores, "own_cores", lambda: THERE)


@pytest.fixture
def others(tmp_path: Path) -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def job(others: ExitStack, workspace: Path, devices: str = "cpu", **record: Any) -> RunFolder:
    """Somebody who computes, and says of itself what the record has."""
    said: RunRecord = {"state": "running", **record}  # type: ignore[typeddict-item]
    run = create(workspace / "runs", "toy", "linear", said, "")
    others.enter_context(hold([devices], run=run.id, workspace=workspace))
    return run


def test_nobody_is_there() -> None:
    assert FreeCores()(1) == Cores(THERE)
    assert FreeCores()(3) == Cores(5)


def test_what_others_say_they_have_is_taken(tmp_path: Path, others: ExitStack) -> None:
    first = job(others, tmp_path, threads=4)
    second = job(others, tmp_path / "other workspace", threads=3, processes=2)
    assert FreeCores()(1) == Cores(6, f"of {THERE} cores others are in use by {first.id}, {second.id}")
    assert FreeCores()(2).free == 3


def test_there_is_always_one(tmp_path: Path, others: ExitStack) -> None:
    job(others, tmp_path, threads=64)
    assert FreeCores()(1).free == FreeCores()(4).free == 1


def test_who_does_not_say_yet_shares_what_is_left(tmp_path: Path, others: ExitStack) -> None:
    job(others, tmp_path, threads=6)
    job(others, tmp_path)
    assert FreeCores()(1).free == 5
    job(others, tmp_path, threads="many")
    assert FreeCores()(1).free == 3


def test_a_run_is_not_its_own_rival(tmp_path: Path, others: ExitStack) -> None:
    """A worker has claimed the device before its training processes ask."""
    own = job(others, tmp_path)
    assert FreeCores(own)(1) == Cores(THERE)
    assert FreeCores()(1).free == THERE // 2


def test_jobs_on_other_devices_take_none(tmp_path: Path, others: ExitStack) -> None:
    job(others, tmp_path, "GPU-1234", threads=8)
    assert FreeCores()(1) == Cores(THERE)


def test_jobs_that_are_bound_to_other_cores_take_none(
    tmp_path: Path, others: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    job(others, tmp_path, threads=4)
    bound = {os.getpid(): {4, 5, 6, 7}, 0: {0, 1, 2, 3}}
    monkeypatch.setattr(os, "sched_getaffinity", bound.__getitem__, raising=False)
    assert FreeCores()(1) == Cores(THERE)
    bound[0] = {2, 3, 4, 5}
    assert FreeCores()(1).free == THERE - 2


def test_a_run_begins_where_claims_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable() -> Any:
        raise PermissionError("no claims")

    monkeypatch.setattr(free_cores, "claims", unreadable)
    assert FreeCores()(1) == Cores(THERE)


def test_a_run_in_the_foreground_leaves_others_their_cores(
    tmp_path: Path, others: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(threads, "torch_threads", lambda: THERE)
    monkeypatch.setattr(threads, "SMALL", 0)
    monkeypatch.setattr("dlkit.engine.build.set_threads", lambda number: number)
    catalog = toy_catalog()
    assert trained(catalog, tmp_path)["threads"] == THERE
    other = job(others, tmp_path, threads=THERE - 2)
    record = trained(catalog, tmp_path)
    assert record["threads"] == 2 and record["threads_why"].endswith(f"in use by {other.id}")


def trained(catalog: Catalog, workspace: Path) -> RunRecord:
    resolved = resolve(catalog, "toy", [Layer("test", {"engine": {"device": "cpu", "epochs": 1}})])
    here = train(catalog, resolved, workspace, Foreground())
    assert isinstance(here, Here)
    for _ in here.events():
        pass
    return here.run.read()
