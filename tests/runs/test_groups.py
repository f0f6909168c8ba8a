"""Means over seeds: which runs make a group, how wide the interval is, what is left out and remarked."""

from __future__ import annotations

import math
from pathlib import Path
from statistics import mean as mean_of
from statistics import stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from dlkit.errors import UsageError
from dlkit.monitor.comparison import compare
from dlkit.runs.groups import grouped, mean, t_quantile
from recorded import record_seeds


@pytest.mark.parametrize("degrees", [*range(1, 40), 100, 10_000])
def test_the_interval_is_students(degrees: int) -> None:
    assert t_quantile(degrees) == pytest.approx(stats.t.ppf(0.975, degrees), rel=1e-5)


@given(values=st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=20))
def test_a_mean_and_its_interval(values: list[float]) -> None:
    found = mean(values)
    assert found.n == len(values) and found.mean == pytest.approx(mean_of(values), abs=1e-6)
    assert found.std == pytest.approx(stdev(values), rel=1e-6, abs=1e-6)
    assert found.half is not None
    assert found.half == pytest.approx(stats.t.ppf(0.975, len(values) - 1) * stats.sem(values), rel=1e-4, abs=1e-6)


def test_equal_values_do_not_spread() -> None:
    assert mean([0.9741] * 3).half == 0.0 and mean([0.9741] * 3).mean == 0.9741


def test_one_run_has_no_interval_and_what_is_not_finite_none_either() -> None:
    assert (mean([3.0]).mean, mean([3.0]).half, mean([3.0]).n) == (3.0, None, 1)
    assert math.isnan(mean([1.0, math.nan]).mean) and mean([1.0, math.nan]).half is None


def test_groups_are_ranked_by_the_mean_of_the_primary_metric(tmp_path: Path) -> None:
    runs = record_seeds(
        tmp_path,
        [
            {"lr": 0.1, "seed": 0, "mse": 3.0},
            {"lr": 0.1, "seed": 1, "mse": 1.0},
            {"lr": 0.2, "seed": 0, "mse": 1.5},
            {"lr": 0.2, "seed": 1, "mse": 1.7},
        ],
    )
    found = grouped(runs, ["model", "lr"])
    assert (found.keys, found.metric, found.remarks) == (["model.name", "trainer.lr"], "val/mse", [])
    first, second = found.groups
    assert (first.settings, first.runs, first.seeds) == (
        {"model.name": "linear", "trainer.lr": 0.2},
        [runs[2].id, runs[3].id],
        [0, 1],
    )
    assert first.metrics["val/mse"].mean == pytest.approx(1.6) and first.metrics.keys() == {"val/mse"}
    # 12.706 × s / √2 of (1.5, 1.7)
    assert first.metrics["val/mse"].half == pytest.approx(12.7062 * 0.1414214 / 2**0.5, rel=1e-5)
    assert found.best == first.best == runs[2].id and second.best == runs[1].id


def test_what_is_not_completed_is_left_out_and_named(tmp_path: Path) -> None:
    done = record_seeds(tmp_path, [{"lr": 0.1, "seed": 0, "mse": 3.0}])
    failed = record_seeds(tmp_path, [{"lr": 0.1, "seed": 1, "mse": 0.0}], state="failed")
    found = grouped([*done, *failed], ["trainer.lr"])
    assert [group.runs for group in found.groups] == [[done[0].id]]
    assert found.left_out == {failed[0].id: "failed"}


def test_what_spoils_an_interval_is_remarked(tmp_path: Path) -> None:
    runs = record_seeds(
        tmp_path,
        [{"lr": 0.1, "seed": 4, "mse": 3.0}, {"lr": 0.1, "seed": 4, "mse": 1.0, "epochs": 9}],
    )
    same, more = grouped(runs, ["trainer.lr"]).remarks
    assert "share a seed" in same and "seeds 4, 4" in same
    assert more == "runs of one group differ in more than the seed: engine.epochs"


def test_a_setting_that_no_run_has_is_refused(tmp_path: Path) -> None:
    runs = record_seeds(tmp_path, [{"lr": 0.1, "seed": 0, "mse": 3.0}])
    with pytest.raises(UsageError, match=r"no run has a setting 'trainer.rl': did you mean 'trainer.lr'"):
        grouped(runs, ["trainer.rl"])
    with pytest.raises(UsageError, match="no run has a setting 'nam'"):
        grouped(runs, ["nam"])


def test_data_that_changed_between_runs_is_remarked(tmp_path: Path) -> None:
    settings = [{"lr": 0.1, "seed": seed, "mse": 1.0} for seed in range(3)]
    runs = record_seeds(tmp_path, settings)
    for run, fingerprint in zip(runs, ("aa", "aa", "bb"), strict=True):
        run.update(fingerprint=fingerprint)
    (remark,) = grouped(runs, ["lr"]).remarks
    assert remark.startswith("the data changed between runs") and remark.count("on one: ") == 2
    assert compare(runs).remarks == [remark]
    assert grouped(runs[:2], ["lr"]).remarks == compare(runs[:2]).remarks == []
    other = runs[2].config.read_text().replace("plane", "other")  # another data set may have other data
    runs[2].config.write_text(other)
    assert not any("data changed" in remark for remark in compare(runs).remarks)
