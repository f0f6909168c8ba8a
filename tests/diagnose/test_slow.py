"""Where the time goes: what a run waits for is named, from runs that were made slow and from any figures."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnose.planted_runs import toy, verdicts
from dlkit.diagnose import Record, diagnose, read_record, spending
from dlkit.diagnose.bound import BOUND, bound
from dlkit.diagnose.contended import contended, device_waits
from dlkit.engine.breakdown import KINDS
from dlkit.events import Machine, Spent
from toy_parts import ValuesPredictor

SPEED = {"bound-by-loading", "bound-by-augmentation", "bound-by-evaluation", "bound-by-sampling",
         "bound-by-checkpoints", "busy-machine", "threads-fight", "device-waits"}  # fmt: skip


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    """Of a run that is well."""
    return read_record(toy(epochs=2)(tmp_path_factory.mktemp("slow")))


def with_events(record: Record, *events: Spent | Machine) -> Record:
    kept = [event for event in record.events if not isinstance(event, Spent | Machine)]
    return dataclasses.replace(record, events=[*kept, *events])


def spent(machine: dict[str, float] | None = None, cpu: float = 50.0, children: float = 0.0, **seconds: float) -> Spent:
    told = {**dict.fromkeys(KINDS, 0.0), **seconds}
    quiet = {"delayed": 0.0, "busy": cpu + children, "steal": 0.0, "cores": 4, "usable": 4, "threads": 4, "load": 1.0}
    return Spent(
        step=9, seconds=told, cpu_seconds=cpu, children_cpu_seconds=children, machine={**quiet, **(machine or {})}
    )


def named(record: Record) -> list[str]:
    return [verdict.name for rule in (bound, contended, device_waits) for verdict in rule(record)]


# Runs that were made slow


@pytest.mark.parametrize("kind", ["loading", "augmentation", "evaluation"])
def test_a_data_set_that_takes_its_time(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spending, "LEAST", 0.1)
    run = toy({"dataset": {"name": f"slow-{kind}"}}, epochs=2)(tmp_path)
    found = [verdict for verdict in verdicts(run) if verdict.about == "speed"]
    assert [verdict.name for verdict in found][:1] == [f"bound-by-{kind}"]
    assert found[0].evidence and found[0].mends


def test_a_predictor_that_takes_its_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spending, "LEAST", 0.1)
    samples = ValuesPredictor.samples
    monkeypatch.setattr(ValuesPredictor, "samples", lambda self, *given: time.sleep(0.3) or samples(self, *given))
    run = toy(epochs=2, sample_every="1 epochs")(tmp_path)
    assert "bound-by-sampling" in [verdict.name for verdict in verdicts(run)]


def test_a_short_run_is_not_slow(tmp_path: Path) -> None:
    run = toy({"dataset": {"name": "slow-loading"}}, epochs=1)(tmp_path)
    assert not SPEED & {verdict.name for verdict in verdicts(run)}


# Any figures


@given(st.fixed_dictionaries({kind: st.floats(0, 1000) for kind in KINDS}))
def test_what_takes_its_share_is_named_and_nothing_else(record: Record, seconds: dict[str, float]) -> None:
    total = sum(part for kind, part in seconds.items() if kind not in ("paused", "preparing"))
    found = named(with_events(record, spent(cpu=0.8 * total, **seconds)))
    expected = [one.name for one in BOUND if total >= 30 and seconds[one.kind] / total >= one.share]
    assert found == expected


@given(delayed=st.floats(0.3, 0.9), others=st.floats(0.5, 3.9))
def test_a_busy_machine(record: Record, delayed: float, others: float) -> None:
    told = spent({"delayed": 100 * delayed, "busy": 60 + 100 * others}, cpu=60.0, steps=100.0)
    assert named(with_events(record, told)) == ["busy-machine"]


@given(steal=st.floats(0.16, 0.9))
def test_a_host_that_gives_the_cores_to_others(record: Record, steal: float) -> None:
    assert named(with_events(record, spent({"steal": 400 * steal}, steps=100.0))) == ["busy-machine"]


@given(delayed=st.floats(0.3, 0.9), threads=st.integers(5, 64))
def test_threads_that_fight(record: Record, delayed: float, threads: int) -> None:
    told = spent({"delayed": 100 * delayed, "threads": threads, "busy": 390.0}, cpu=380.0, steps=100.0)
    found = list(contended(with_events(record, told)))
    assert [verdict.name for verdict in found] == ["threads-fight"] and str(threads) in found[0].text


@given(delayed=st.floats(0, 0.2), others=st.floats(0, 4), steal=st.floats(0, 0.1), cpu=st.floats(1, 400))
def test_a_machine_that_has_room(record: Record, delayed: float, others: float, steal: float, cpu: float) -> None:
    told = spent({"delayed": 100 * delayed, "busy": cpu + 100 * others, "steal": 400 * steal}, cpu=cpu, steps=100.0)
    assert named(with_events(record, told)) == []


@given(use=st.lists(st.integers(0, 100), min_size=20, max_size=60))
def test_a_gpu_that_waits(record: Record, use: list[int]) -> None:
    machine = [Machine(step=1, cpu=100.0, memory=1, processes=1, gpus=[{"index": 0, "use": one}]) for one in use]
    found = named(with_events(record, *machine, spent(steps=90.0, device=10.0)))
    assert found == (["device-waits"] if sum(use) / len(use) < 50 else [])


def test_a_run_of_before_is_not_accused(record: Record) -> None:
    """Its log does not tell where its time went."""
    assert named(with_events(record)) == []
    assert not SPEED & {verdict.name for verdict in diagnose(with_events(record))}
