"""Runs side by side: which settings differ, which value is best, whatever is damaged."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlkit.monitor.comparison import compare
from dlkit.runs.contents import flatten
from dlkit.runs.folder import Summary
from dlkit.runs.outcomes import best, direction
from recorded import record_run


def test_settings_that_differ_and_settings_that_are_shared(tmp_path: Path) -> None:
    runs = [record_run(tmp_path, i) for i in range(2)]
    runs[0].config.write_text('task = "toy"\n[trainer]\nlr = 0.1\n[engine]\nepochs = 3\n')
    runs[1].config.write_text('task = "toy"\n[trainer]\nlr = 0.2\ndecay = 0.5\n[engine]\nepochs = 3\n')
    found = compare(runs)
    assert found.settings == {"trainer.lr": [0.1, 0.2], "trainer.decay": [None, 0.5]}
    assert found.shared == {"task": "toy", "engine.epochs": 3}
    assert found.remarks == []


def test_the_best_by_the_direction_of_the_record(tmp_path: Path) -> None:
    runs = [record_run(tmp_path, i) for i in range(3)]  # the last ones' errors are smaller
    assert compare(runs).metrics["val/mse"].best == 2
    turned = [record_run(tmp_path, i + 10, direction="max") for i in range(3)]
    values = list(compare(turned).metrics["val/mse"].values)
    assert compare(turned).metrics["val/mse"].best == values.index(max(v for v in values if v is not None))


def test_evaluations_of_other_splits_take_part(tmp_path: Path) -> None:
    runs = [record_run(tmp_path, i) for i in range(2)]
    line = json.dumps({"split": "test", "metrics": {"test/mse": 0.25, "test/mse/north": 0.2}})
    no_number = json.dumps({"split": "test", "metrics": {"test/mse": 0.5, "note": "x"}})
    runs[1].evaluations.write_text(f"{line}\n{no_number}\n{{torn")
    metrics = compare(runs).metrics
    assert metrics["test/mse"].values == [None, 0.25] and metrics["test/mse"].best == 1
    assert "test/mse/north" not in metrics and "note" not in metrics


def test_a_damaged_run_takes_part_and_is_named(tmp_path: Path) -> None:
    runs = [record_run(tmp_path, i) for i in range(2)]
    runs[0].record.write_text("{")
    runs[0].config.write_text("= = =")
    found = compare(runs)
    assert found.summaries[0].state == "damaged" and found.summaries[1].state == "completed"
    assert found.settings == {} and found.shared == {"task": "toy"}
    assert found.metrics["val/mse"].values[0] is None
    assert len(found.remarks) == 1 and runs[0].id in found.remarks[0]


def test_different_tasks_are_remarked(tmp_path: Path) -> None:
    runs = [record_run(tmp_path, i, task=task) for i, task in enumerate(("toy", "regression"))]
    assert "toy, regression" in compare(runs).remarks[0]


@pytest.mark.parametrize(
    ("name", "primary", "expected"),
    [("val/mse", ("val/mse", "min"), "min"), ("test/accuracy", ("val/accuracy", "max"), "max"),
     ("val/loss", ("val/accuracy", "max"), "min"), ("val/loss", ("val/loss", "max"), "max"),
     ("lr", ("val/mse", "min"), ""), ("val/macro_f1", ("val/accuracy", "max"), "max"),
("test/rmse", ("val/r2", "max"), "min"),
     ("val/token_accuracy", ("val/loss", "min"), "max"), ("val/d_accuracy", ("val/judge_frechet", "min"), ""),
     ("val/judge_frechet", ("", ""), "min"), ("grad_norm", ("val/mse", "min"), "")],
)  # fmt: skip
def test_direction(name: str, primary: tuple[str, str], expected: str) -> None:
    assert direction(name, [Summary("a", metric=primary[0], direction=primary[1]), Summary("b")]) == expected


def test_records_that_disagree_have_no_direction() -> None:
    both = [Summary("a", metric="val/score", direction="max"), Summary("b", metric="val/score", direction="min")]
    assert direction("val/score", both) == ""


@given(st.lists(st.one_of(st.none(), st.floats()), max_size=6), st.sampled_from(["min", "max", ""]))
def test_best_is_finite_and_none_is_better(values: list[float | None], which: str) -> None:
    found = best(values, which)
    usable = [v for v in values if v is not None and math.isfinite(v)]
    if found is None:
        assert not usable or not which
    else:
        value = values[found]
        assert value == (min(usable) if which == "min" else max(usable))
        assert found == values.index(value)


def test_flatten() -> None:
    assert flatten({"a": 1, "b": {"c": {"d": 2}, "e": []}}) == {"a": 1, "b.c.d": 2, "b.e": []}
