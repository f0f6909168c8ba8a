"""Columns of lists of runs, the order by them, and groups."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlkit.monitor.run_columns import arranged, falls, known_keys, value_of, words_of
from dlkit.monitor.run_groups import in_groups
from dlkit.runs.folder import Summary

RUN = Summary(
    id="a", task="toy", model="mlp", state="completed", created=1.0, step=50, total_steps=100, seconds=65.0, size=1500,
    metric="val/mse", direction="min", best=0.25, metrics={"val/mse": 0.25, "val/mse/cat": 1.0, "val/loss": 0.5},
)  # fmt: skip
OPTIONS = {"trainer.lr": 0.003, "engine.epochs": 3, "model.name": "mlp", "dataset.seed": 1, "engine.seed": 2}


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("run", "a"), ("data", ""), ("time", "1:05"), ("size", "1.5 kB"), ("step", "50/100"), ("val/mse", "0.25"),
        ("mse", "0.25"), ("lr", "0.003"), ("engine.epochs", "3"), ("nothing", ""), ("seed", ""), ("engine.seed", "2"),
    ],
)  # fmt: skip
def test_what_stands_in_a_column(key: str, words: str) -> None:
    assert words_of(RUN, key, OPTIONS) == words
    assert (value_of(RUN, key, OPTIONS) is None) is (words == "")


def test_options_go_by_the_last_part_of_their_name_where_that_means_one() -> None:
    found = known_keys([RUN], {"a": OPTIONS})
    assert {"run", "data", "time", "started", "val/mse", "val/loss", "lr", "epochs"} <= set(found)
    assert {"dataset.seed", "engine.seed", "model.name"} <= set(found), "seed is a field, two options, and name one too"
    assert "val/mse/cat" not in found and len(found) == len(set(found))
    assert all(value_of(RUN, key, OPTIONS) is not None for key in found if key.startswith(("val/", "engine", "lr")))


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("started", True), ("best", False), ("val/mse", False), ("val/accuracy", True), ("time", True), ("size", True),
        ("model", False), ("lr", False),
    ],
)  # fmt: skip
def test_what_one_wants_to_see_first_is_first(key: str, expected: bool) -> None:
    assert falls(key, [RUN]) is expected


SUMMARIES = st.lists(
    st.builds(
        Summary,
        id=st.uuids().map(str),
        state=st.sampled_from(["running", "completed", "odd"]),
        task=st.sampled_from(["", "toy", "other"]),
        metric=st.just("val/mse"),
        direction=st.sampled_from(["min", "min", ""]),
        best=st.none() | st.floats(),
        seconds=st.floats(0, 100),
        metrics=st.dictionaries(st.sampled_from(["val/a", "val/b"]), st.floats()),
    ),
    max_size=12,
    unique_by=lambda run: run.id,
)
KEYS = st.sampled_from(["state", "best", "seconds", "task", "started", "val/a", "lr"])


@given(SUMMARIES, KEYS, st.booleans(), st.data())
def test_an_order_loses_nobody_and_puts_what_is_missing_last(
    runs: list[Summary], key: str, descending: bool, data: st.DataObject
) -> None:
    options = {run.id: {"trainer.lr": data.draw(st.sampled_from([0.1, "big", None]))} for run in runs}
    found = arranged(runs, key, descending, options)
    assert sorted(map(id, found)) == sorted(map(id, runs))
    missing = [value_of(run, key, options[run.id]) is None for run in found]
    assert key == "started" or missing == sorted(missing)
    equal = arranged(runs, "metric", descending)
    assert [run.id for run in equal] == [run.id for run in runs], "equal ones stay as they were"


@given(SUMMARIES, st.lists(KEYS, min_size=1, max_size=2, unique=True))
def test_groups_hold_every_run_once_and_their_best_is_of_them(runs: list[Summary], keys: list[str]) -> None:
    groups = in_groups(runs, keys)
    assert sorted(id(run) for group in groups for run in group.runs) == sorted(map(id, runs))
    assert len({group.id for group in groups}) == len(groups), "each has a name of its own"
    for group in groups:
        assert {tuple(words_of(run, key) for key in keys) for run in group.runs} == {tuple(group.values.values())}
        if group.best is not None:
            assert all(not (run.best is not None and run.best < (group.best.best or 0)) or run.best == float("-inf")
                       for run in group.runs)  # fmt: skip
        assert group.about.startswith(f"{len(group.runs)} run")


def test_a_group_says_how_its_runs_stand() -> None:
    states = ["completed", "running", "failed", "completed", "queued"]
    runs = [RUN._replace(id=str(i), state=state, best=0.5 - 0.1 * i) for i, state in enumerate(states)]
    (group,) = in_groups(runs, ["task"])
    assert (group.title, group.id) == ("toy", "task=toy")
    assert group.about == "5 runs: 1 running, 1 queued, 1 failed, 2 completed; best mse 0.1"
    assert in_groups(runs, ["study"])[0].title == "no study"
    assert in_groups(runs, ["task", "study"])[0].title == "task toy, study -"
    assert in_groups([RUN, RUN._replace(id="b", task="other")], ["model"])[0].best is None, "metrics of two tasks"
