"""Progress: what is best, what a checkpoint holds of it, how time is counted."""

from __future__ import annotations

import json

import pytest

from dlkit.engine.progress import Progress


def test_the_earlier_of_equal_ones_is_the_best() -> None:
    progress = Progress()
    for step, value in ((1, 0.5), (2, 0.5), (3, 0.4), (4, 0.6)):
        progress.step = step
        progress.judge("val/mse", "min", {"val/mse": value, "step": float(step)})
    assert (progress.best, progress.best_step, progress.stale) == (0.4, 3, 1)
    assert progress.best_metrics == {"val/mse": 0.4, "step": 3.0}


@pytest.mark.parametrize(("direction", "best"), [("min", 1), ("max", 2)])
def test_the_direction_says_what_is_better(direction: str, best: int) -> None:
    progress = Progress()
    for step, value in ((1, 0.1), (2, 0.9)):
        progress.step = step
        progress.judge("m", direction, {"m": value})
    assert progress.best_step == best


def test_only_an_evaluation_makes_a_step_the_best() -> None:
    progress = Progress()
    assert not progress.is_best, "at step 0 nothing is known"
    progress.judge("m", "max", {"m": 1.0})
    assert progress.is_best
    progress.step += 1
    assert not progress.is_best


def test_what_is_saved_is_json_and_comes_back() -> None:
    progress = Progress(best=0.5, best_step=3, stale=1, metrics={"m": 0.5}, seconds=4.0, obeyed=["a"], step=7)
    progress.evaluated, progress.sampled = 6, 4
    saved = json.loads(json.dumps(progress.saved()))
    again = Progress()
    again.restore(saved, 7)
    assert again.mark == progress.mark == (7, 6, 4, 1)
    assert again.saved().keys() == saved.keys()
    assert (again.best, again.best_step, again.stale, again.metrics) == (0.5, 3, 1, {"m": 0.5})
    assert "step" not in saved and "since" not in saved


def test_checkpoints_that_do_not_say_lie_behind_what_was_due() -> None:
    progress = Progress()
    progress.restore({"best": None, "seconds": 2.0}, 12)
    assert (progress.step, progress.evaluated, progress.sampled, progress.best) == (12, 12, 12, None)


def test_pauses_do_not_count() -> None:
    progress = Progress(seconds=10.0, since=100.0)
    assert progress.seconds_at(105.0) == 15.0
    progress.exclude(2.0)
    assert progress.seconds_at(105.0) == 13.0
