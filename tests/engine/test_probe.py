"""What a few steps tell of a run: its time by kind, its memory, its disk; and what they cannot tell."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlkit.catalog import Catalog
from dlkit.config import EngineConfig, Layer, Resolved, resolve
from dlkit.data.context import Context
from dlkit.engine import loop as main_loop
from dlkit.engine import sampling
from dlkit.engine.loader import Course
from dlkit.engine.probe import loop
from dlkit.engine.probe.memory import forget_peak, peak_memory
from dlkit.engine.probe.process import Tries
from dlkit.engine.probe.timings import Timings
from dlkit.runs.estimates import Estimate, from_json
from pretend_device import installed
from toy import toy_catalog
from toy_options import PlaneConfig
from toy_parts import build_plane

OTHERS = ("extras", "headed")


def resolved(*layers: dict[str, Any], catalog: Catalog | None = None, **engine: Any) -> Resolved:
    there = [Layer("test", layer) for layer in layers]
    own = Layer("test", {"engine": {"device": "cpu", "threads": 1, **engine}})
    return resolve(catalog or toy_catalog(*OTHERS), "toy", [*there, own])


@pytest.fixture
def tries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tries]:
    """In this process; nothing is left of it."""
    monkeypatch.setattr(Catalog, "load_everything", lambda: toy_catalog(*OTHERS))
    workspace, scratch = tmp_path / "workspace", tmp_path / "scratch"
    scratch.mkdir()
    yield Tries(workspace, offline=True, folder=scratch)
    assert not workspace.exists() and not list(scratch.iterdir())


def answer(tries: Tries, wanted: Resolved, seconds: float = 0.05) -> Any:
    return tries.answer({"do": "estimate", "task": "toy", "config": wanted.values(), "seconds": seconds})


def estimate(tries: Tries, wanted: Resolved) -> Estimate:
    found = answer(tries, wanted)
    assert "error" not in found, found
    return from_json(found)


def test_a_short_run_is_tried_to_its_end(tries: Tries) -> None:
    found = estimate(tries, resolved())
    assert found.steps == found.tried == 18 and found.fits and not found.problem
    assert found.seconds == pytest.approx(sum(found.parts.values())) and found.device == "cpu (1 thread)"
    assert found.memory is not None and found.memory > 1 << 26 and found.device_memory is None
    assert 0 < found.checkpoint < found.disk


def test_a_long_run_is_left_and_the_rest_told_by_how_often_each_thing_is_due(tries: Tries) -> None:
    short = estimate(tries, resolved(epochs=2000, eval_every="1 epoch", sample_every="1000 epochs"))
    long = estimate(tries, resolved(epochs=20_000, eval_every="1 epoch", sample_every="10 epochs"))
    assert short.steps == 12_000 and short.tried < 12_000 and long.steps == 120_000
    assert short.step is not None and short.seconds is not None and long.seconds is not None
    assert short.parts["training"] == pytest.approx(short.step * 12_000, rel=0.5)
    assert long.seconds > short.seconds and long.disk > 2 * short.disk
    assert long.parts["samples"] > 9 * short.parts["samples"], "1 000 times as often"
    assert long.parts["evaluations"] > short.parts["evaluations"], "10 times as often"


def test_what_cannot_be_known_is_said(tries: Tries) -> None:
    found = estimate(tries, resolved(epochs=1_000_000, max_time=30.0, early_stopping=3))
    assert found.seconds is not None and 29 < found.seconds < 40 and 0 < found.steps < 6_000_000
    assert any("max_time ends it after about" in line for line in found.unknown)
    assert any("early stopping may end it sooner" in line for line in found.unknown)


def test_several_processes_are_tried_as_one_with_its_share(tries: Tries) -> None:
    found = estimate(tries, resolved({"job": {"nproc": 2}}, batch_size=16))
    assert found.steps > 18, "of 8 samples"
    assert any("without the exchange" in line for line in found.unknown)


def test_a_preparation_that_takes_long_leaves_the_time_unknown(tries: Tries, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = resolved({"model": {"name": "headed"}, "trainer": {"name": "cached"}})
    assert estimate(tries, wanted).seconds is not None
    monkeypatch.setattr(loop, "PREPARING_SECONDS", -1.0)
    found = estimate(tries, wanted)
    assert found.fits and found.seconds is None and found.starting > 0 and found.memory
    assert any("its preparation takes long: features of train" in line for line in found.unknown)


def test_a_long_evaluation_is_measured_in_part(tries: Tries, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "EVALUATING_SECONDS", -1.0)
    found = estimate(tries, resolved(epochs=2000, eval_batch_size=1, eval_every="end"))
    assert found.fits and 0 < found.parts["evaluations"] < (found.seconds or 0.0)


def test_what_was_done_once_is_timed_again(tries: Tries, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first samples take long, as those do that load something; of the run's 21 all but one are quick."""
    slow = iter([0.3])
    make = sampling.make_samples

    def made(*parts: Any) -> Any:
        time.sleep(next(slow, 0.0))
        return make(*parts)

    monkeypatch.setattr(main_loop, "make_samples", made)
    monkeypatch.setattr(loop, "make_samples", made)
    found = estimate(tries, resolved(epochs=2000, eval_every="1000 epochs", sample_every="100 epochs"))
    assert 0.3 < found.parts["samples"] < 3.0, "not 20 times 0.3 s"


def test_memory_that_does_not_suffice_is_an_answer(tries: Tries) -> None:
    """The loss's, in a step; the pretend device's, whose error is of its own kind."""
    scarce = answer(tries, resolved({"loss": {"name": "troubled", "scarce": 12}}))
    assert scarce["memory"] and scarce["stage"] == "training" and "(in training)" in scarce["error"]
    with installed(room=1 << 30) as device:
        fitting = estimate(tries, resolved(device="auto"))
        assert fitting.device_memory is not None and 0 < fitting.device_memory < 1 << 20
        device.room = device.used + 100
        assert answer(tries, resolved(device="auto"))["memory"]


def test_what_the_run_would_fail_of_is_said(tries: Tries) -> None:
    found = answer(tries, resolved({"loss": {"name": "troubled", "raise_at": 2}}))
    assert not found["memory"] and found["kind"] == "run" and found["error"].endswith("call 2 (in training)")


def test_the_peak_is_of_what_was_had_since() -> None:
    forget_peak()
    before = peak_memory()
    held = bytearray(1 << 26)
    held[:: 1 << 12] = b"x" * len(held[:: 1 << 12])
    del held
    assert peak_memory() >= before + (1 << 25)


@given(
    st.sampled_from(["never", "end", "1 step", "7 steps", "1 epoch", "3 epochs", "50 epochs"]),
    st.one_of(
        st.integers(0, 90).map(lambda n: {"steps": n, "epochs": None}), st.integers(1, 9).map(lambda n: {"epochs": n})
    ),
)
def test_how_often_something_is_due_is_what_the_loop_counts(cadence: str, length: dict[str, Any]) -> None:
    data = build_plane(PlaneConfig(points=64), Context(Path()))
    course = Course(data.train, EngineConfig(batch_size=10, **length))
    due, step, times = course.due(cadence), 0, 0
    while (step := due.next(step)) <= course.total and step > 0:
        times += 1
        if step == course.total:
            break
    assert due.times() == max(times, 1 if due.happens else 0)


def test_the_first_of_a_kind_has_costs_of_its_own() -> None:
    timings = Timings(marks=[(2, 1.0), (12, 2.0)], done={"evaluations": [3.0, 1.0, 1.0]})
    assert timings.step == pytest.approx(0.1) and timings.train(112) == pytest.approx(12.0)
    assert timings.all_of("evaluations", 10) == pytest.approx(12.0) and timings.all_of("samples", 4) == 0.0
    one = Timings(marks=[(4, 2.0)], done={"samples": [2.0]})
    assert one.step == 0.5 and one.all_of("samples", 3) == 6.0 and Timings().train(9) == 0.0
