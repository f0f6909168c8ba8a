"""Steps that torch.profiler records: which, what is kept of them, and that nothing else comes of it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from torch import profiler

from dlkit.engine.profiling import WARM_UP
from dlkit.events import Notice
from dlkit.runs import opening
from dlkit.runs.folder import RunFolder
from dlkit.runs.log import read_events
from dlkit.runs.profile import NAME, OPERATORS, STEP, TRACE, Profile, read_profile
from outcome import close_at, outcome, values_of
from toy import finish, toy_attempt, toy_resume, toy_run


def profile_of(run: RunFolder) -> Profile:
    found = read_profile(run)
    assert found is not None
    return found


def notices(run: RunFolder) -> list[str]:
    return [event.text for event in read_events(run.events) if isinstance(event, Notice)]


def test_recorded_steps_change_no_bit(tmp_path: Path) -> None:
    plain, run = toy_run(tmp_path, layers=True), toy_run(tmp_path, layers=True, profile=4)
    assert outcome(run) == outcome(plain) and values_of(run) == values_of(plain)
    found = profile_of(run)
    assert (found.first, found.steps, found.device[:3]) == (WARM_UP + 1, 4, "cpu")
    by_name = {operator.name: operator for operator in found.operators}
    assert by_name[STEP].calls == 4
    products = [operator for operator in found.operators if operator.name == "aten::addmm"]
    assert sum(operator.calls for operator in products) >= 4 and all("[[" in operator.shapes for operator in products)
    assert by_name[STEP].cpu <= found.seconds
    with gzip.open(run.path / TRACE) as trace:
        assert json.load(trace)["traceEvents"]
    assert any("steps 4 to 7 are profiled" in text for text in notices(run))
    assert not (plain.path / NAME).exists()


@pytest.mark.parametrize(("steps", "wanted", "expected"), [(18, 100, (1, 18)), (6, 4, (3, 4))])
def test_a_run_that_is_short_is_recorded_all_the_same(
    tmp_path: Path, steps: int, wanted: int, expected: tuple[int, int]
) -> None:
    found = profile_of(toy_run(tmp_path, steps=steps, profile=wanted))
    assert (found.first, found.steps) == expected


def test_once_a_run(tmp_path: Path) -> None:
    run = close_at(toy_attempt(tmp_path, profile=2), 6)
    before = profile_of(run)
    finish(toy_resume(run))
    assert profile_of(run) == before


def test_what_was_recorded_until_the_end_is_kept(tmp_path: Path) -> None:
    run = close_at(toy_attempt(tmp_path, profile=100, steps=1000, eval_every="7 steps"), 7)
    assert profile_of(run).first + profile_of(run).steps > WARM_UP


def test_a_profiler_that_fails_ends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no counters here")

    monkeypatch.setattr(profiler.profile, "start", broken)
    run = toy_run(tmp_path, profile=2)
    assert read_profile(run) is None
    assert "steps cannot be profiled here: no counters here" in notices(run)


def test_a_full_disk_costs_the_profile_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = opening.write

    def full(run: Path, name: str, data: bytes, **how: bool) -> None:
        if name == TRACE:
            raise OSError(28, "No space left on device")
        write(run, name, data, **how)

    monkeypatch.setattr(opening, "write", full)
    run = toy_run(tmp_path, profile=2)
    assert read_profile(run) is None
    assert any("the profile could not be written" in text for text in notices(run))


@pytest.mark.parametrize(
    "text",
    ["[]", "{}", '{"first": 1, "steps": 0}', '{"first": 1, "steps": 1, "operators": [{"name": 4}]}', "{"],
)
def test_a_file_of_somebody_elses_may_hold_anything(tmp_path: Path, text: str) -> None:
    (tmp_path / NAME).write_text(text)
    with pytest.raises((ValueError, OSError), match=NAME):
        read_profile(RunFolder(tmp_path))


def test_of_many_operators_those_that_are_read(tmp_path: Path) -> None:
    rows = [{"name": f"n{i}", "more": 1} for i in range(OPERATORS + 5)] + [{}]
    (tmp_path / NAME).write_text(json.dumps({"first": 1, "steps": 1, "operators": rows}))
    assert len(profile_of(RunFolder(tmp_path)).operators) == OPERATORS
