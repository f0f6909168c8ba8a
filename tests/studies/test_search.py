"""Searches that go by what they have seen: proposals are a function of the log, and better than chance."""

from __future__ import annotations

import math
import statistics
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asked import asked, planned, runs_of
from dlkit.errors import UsageError
from dlkit.events import Commanded, Finished
from dlkit.json_types import Settings
from dlkit.runs.log import read_events
from dlkit.studies import log
from dlkit.studies.driver import Driver
from dlkit.studies.proposing import SAMPLERS, propose
from dlkit.studies.pruning import by_median, verdict
from dlkit.studies.results import Look
from dlkit.studies.space import Space, drawn
from dlkit.studies.state import State, Trial, state_of

pytest.importorskip("optuna")
Quick = dict[str, str]
VARY = ("model=linear,mlp", "lr=log:1e-4..1", "model.width=4..64", "engine.batch_size=16,32|64")


def seen(state: State, setting: Settings, score: float | None) -> None:
    """A setting and what it came to; None: it is still going."""
    number = len(state.settings)
    state.settings[number], state.seeds[number] = setting, [0]
    state.trials[number] = Trial(
        number, number, 0, "run", state="completed" if score is not None else "handed", best=score
    )


@pytest.fixture
def space(tmp_path: Path, plugins: None) -> Space:
    return planned(tmp_path, "lr=log:1e-4..1", "model=linear,mlp", "model.width=4..64", search="random", trials=1).space


@pytest.mark.parametrize("sampler", [name for name in SAMPLERS if name not in ("gp", "cmaes")])
def test_a_proposal_is_a_function_of_the_log(space: Space, sampler: str) -> None:
    state = State()
    for _ in range(14):
        first, again = (propose(space, state, "min", sampler, 3) for _ in range(2))
        assert first == again and first is not None
        assert 1e-4 <= float(str(first["trainer.lr"])) <= 1 and ("model.width" in first) == (
            first["model.name"] == "mlp"
        )
        space.resolve(first)
        seen(state, first, abs(math.log10(float(str(first["trainer.lr"]))) + 2))
    assert len({repr(values) for values in state.settings.values()}) == 14, "none twice"


def test_parallel_trials_are_not_given_the_same_point(space: Space) -> None:
    state = State()
    for setting in list(zip(range(12), drawn(space, 0), strict=False)):
        seen(state, setting[1], abs(math.log10(float(str(setting[1]["trainer.lr"]))) + 2))
    rates = []
    for _ in range(4):
        setting = propose(space, state, "min", "tpe", 0)
        assert setting is not None
        rates.append(float(str(setting["trainer.lr"])))
        seen(state, setting, None)  # it goes on while the next is asked for
    assert len(set(rates)) == 4


def test_a_space_that_is_used_up_proposes_nothing(tmp_path: Path, plugins: None) -> None:
    there = planned(tmp_path, "lr=0.1,0.2,0.3", search="random", trials=1).space
    state = State()
    while (setting := propose(there, state, "min", "tpe", 0)) is not None:
        seen(state, setting, 1.0)
    assert sorted(float(str(s["trainer.lr"])) for s in state.settings.values()) == [0.1, 0.2, 0.3]


def test_tpe_finds_better_settings_than_chance_on_a_known_valley(space: Space) -> None:
    """Equal trials, 20 repeats: the median of the best is no worse."""

    def score(setting: Settings) -> float:
        rate = (math.log10(float(str(setting["trainer.lr"]))) + 2.3) ** 2
        return rate + (0.5 if setting["model.name"] == "linear" else abs(int(str(setting["model.width"])) - 40) / 60)

    bests: dict[str, list[float]] = {"tpe": [], "random": []}
    for repeat in range(20):
        for sampler, found in bests.items():
            state = State()
            for _ in range(25):
                setting = propose(space, state, "min", sampler, repeat)
                assert setting is not None
                seen(state, setting, score(setting))
            found.append(min(t.best for t in state.trials.values() if t.best is not None))
    assert statistics.median(bests["tpe"]) <= statistics.median(bests["random"]), bests


def test_a_study_of_proposals(workspace: Path, quick: Quick) -> None:
    how: dict[str, Any] = {"search": "optuna", "sampler": "tpe", "parallel": 2, "layer": {"launcher": quick}}
    study = asked(workspace, "lr=log:1e-3..1e-1", "model.dropout=0,0.3", trials=5, seeds=2, **how)
    assert not state_of(study).settings and Look(study).results().trials == 10
    Driver(study).serve()
    state = state_of(study)
    assert len(state.settings) == 5 and len(state.trials) == 10 and state.finished
    assert [(t.setting, t.seed) for t in state.trials.values() if t.setting == 3] == [(3, 0), (3, 1)]
    log.append(study.log, "extended", trials=1, after=True)
    Driver(study).serve()
    assert len(state_of(study).settings) == 6


@pytest.mark.slow
def test_a_pruned_trial_is_a_stopped_run_with_its_reason(workspace: Path, quick: Quick) -> None:
    slow = {
        "launcher": quick,
        "loss": {"name": "troubled", "wait": 0.01},
        "engine": {"epochs": 30, "eval_every": "5 steps"},
    }
    study = asked(workspace, "lr=0.05,0.04,0.03,0.06,0.00001", layer=slow, prune="median", parallel=1)
    Driver(study).serve()
    trials = list(state_of(study).trials.values())
    assert [trial.state for trial in trials] == ["completed"] * 4 + ["pruned"]
    assert trials[4].reason.startswith("pruned at step ") and "worse than the median" in trials[4].reason
    assert trials[4].values and max(trials[4].values) < 180
    run = runs_of(study)[4]
    record = run.read()
    assert record["state"] == "stopped" and f"study {study.short}: pruned at step" in str(record["reason"])
    events = read_events(run.events)
    assert any(isinstance(e, Commanded) and e.action == "stop" for e in events) and isinstance(events[-1], Finished)
    found = Look(study).results()
    assert (found.pruned, [row.standing for row in found.rows][-1]) == (1, "pruned")


def test_hyperband_stops_all_but_the_best_third_at_each_rung() -> None:
    """Of 120 trials, one after the other: what is kept grows by a factor, and the best is whole."""
    state, ends = State(), dict[int, int]()
    for number in range(120):
        trial = state.trials[number] = Trial(number, number, 0, "run", "handed")
        for step in (3, 9, 27, 81):
            trial.values[step] = float((number * 77) % 120)
            ends[number] = step
            if verdict("hyperband", state, trial, "min", 81):
                break
    assert ends[0] == 81 and all(ends[number] == 81 for number in range(3, 120, 4)), "the last bracket stops none"
    for bracket in range(3):
        reached = [step for number, step in ends.items() if number % 4 == bracket]
        assert 1 <= sum(step == 81 for step in reached) < 30 and min(reached) == 3 ** (bracket + 1), reached


@given(
    st.dictionaries(st.integers(0, 20), st.floats(-10, 10), min_size=1, max_size=6),
    st.lists(st.dictionaries(st.integers(0, 20), st.floats(-10, 10), max_size=6), max_size=9),
)
def test_the_median_rule(values: dict[int, float], others: list[dict[int, float]]) -> None:
    lower = by_median(values, others, "min")
    mirrored = by_median({s: -v for s, v in values.items()}, [{s: -v for s, v in o.items()} for o in others], "max")
    assert bool(lower) == bool(mirrored)
    if lower:
        reached = [o for o in others if o and max(o) >= max(values)]
        bests = [min(v for s, v in o.items() if s <= max(values)) for o in reached if any(s <= max(values) for s in o)]
        assert min(values.values()) > statistics.median(bests)


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"search": "optuna", "sampler": "tpf", "trials": 3}, "did you mean 'tpe'?"),
        ({"search": "random", "sampler": "tpe", "trials": 3}, "--sampler goes with --search optuna"),
        ({"search": "grid", "prune": "medain"}, "did you mean 'median'?"),
        ({"search": "optuna", "sampler": "tpe"}, "needs --trials N"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, plugins: None, how: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError) as error:
        planned(tmp_path, "lr=0.1,0.2", **how)
    assert says in str(error.value)
