"""What keeps runs from being trained as one is said, before there is a folder of any."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dlkit.engine.stacked.differing import groups, why_apart, why_not
from dlkit.engine.stacked.room import bytes_of_row, rows_that_fit
from dlkit.engine.stacked.structure import why_not_stacked
from dlkit.errors import UsageError
from stacks import Settings, configured, new_jobs, stacked


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"trainer.optimizer": "muon", "model.hidden": [8, 8]}, "trainer.optimizer = 'muon'"),
        ({"trainer": {"name": "modest"}}, "trainer 'modest' takes steps of its own"),
        ({"engine.accumulate": 2}, "engine.accumulate > 1"),
        ({"engine.ema": 0.9}, "engine.ema > 0"),
        ({"engine.layers": True}, "engine.layers"),
        ({"engine.compile": True}, "engine.compile"),
        ({"engine.precision": "bf16"}, "engine.precision = 'bf16'"),
        ({"job.max_restarts": 1}, "job.max_restarts"),
    ],
)
def test_options_that_go_with_one_run_alone(tmp_path: Path, settings: Settings, words: str) -> None:
    made = configured(settings, settings)
    assert words in why_not(made[0])
    with pytest.raises(UsageError, match="cannot be trained as one"):
        stacked(tmp_path, made)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("model", "own", "words"),
    [
        ("normed", {}, "layer 1 is a batch norm, whose running statistics change in training"),
        ("deciding", {}, "control flow that looks at values"),
        ("counting", {}, "passes of the network changes while it trains"),
        ("layers", {"dataset.mapped": True, "engine.init_from": None}, ""),
    ],
)
def test_networks_that_one_pass_cannot_stand_for(tmp_path: Path, model: str, own: dict[str, Any], words: str) -> None:
    made = configured({"engine.seed": 1, **own}, {"engine.seed": 2, **own}, model=model)
    assert not why_not(made[0])
    if not words:
        assert stacked(tmp_path, made).runs
        return
    with pytest.raises(UsageError, match=words):
        stacked(tmp_path, made)
    assert not (tmp_path / "runs").exists()


def test_what_differs_is_named() -> None:
    one, wider, other = configured({}, {"model.hidden": [9]}, {"trainer.momentum": 0.0, "trainer.lr": 0.5})
    assert why_apart(one, wider) == "model.hidden is [8] and [9]"
    assert why_apart(one, other) == "trainer.momentum is 'not 0' and '0'"
    with pytest.raises(UsageError, match=r"model\.hidden is \[8\] and \[9\]"):
        stacked(Path("nowhere"), [one, wider])
    with pytest.raises(UsageError, match="at least one run"):
        stacked(Path("nowhere"), [])


def test_networks_that_only_seem_alike(tmp_path: Path) -> None:
    """Options that may differ, of a model that makes another network of them."""
    made = configured({"model.dropout": 0.1}, {"model.dropout": 0.2})
    jobs = new_jobs(tmp_path, [made[0], *configured({"model.hidden": [9], "model.dropout": 0.1})])
    assert "not alike: 0: out_features is 8 and 9" in why_not_stacked(jobs)
    jobs = new_jobs(tmp_path, [made[0], *configured({"model.activation": "tanh", "model.dropout": 0.1})])
    assert "not alike: 1: ReLU and Tanh" in why_not_stacked(jobs)
    jobs = new_jobs(tmp_path, [made[0], *configured({})])
    assert "not alike: one has no layer" in why_not_stacked(jobs)


def test_configurations_are_divided_into_stacks() -> None:
    made = configured(
        {"trainer.lr": 0.1}, {"engine.ema": 0.5}, {"trainer.lr": 0.2, "model.init": "small"}, {"engine.batch_size": 8},
        {"engine.batch_size": 8, "engine.seed": 3}, {"model.dropout": 0.1},
    )  # fmt: skip
    found = groups(made)
    assert [list(group.members) for group in found] == [[0, 2], [1], [3, 4], [5]]
    assert [bool(group.why) for group in found] == [False, True, False, False]


def test_memory_is_bounded_by_what_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = configured({"engine.seed": 1}, {"engine.seed": 2})
    job = new_jobs(tmp_path, made)[0]
    assert rows_that_fit(job) > 100
    monkeypatch.setattr("dlkit.engine.stacked.room.free_memory", lambda: 6 * bytes_of_row(job) // 4)
    assert rows_that_fit(job) == 1
    with pytest.raises(UsageError, match=r"2 runs as one take about .*: stack at most 1"):
        stacked(tmp_path, made)
