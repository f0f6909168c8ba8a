"""How runs go and end: limits, early stopping, best and last, failures, stops."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

import pytest
import torch

from dlkit.data.context import Context
from dlkit.data.splits import Split
from dlkit.engine import loop
from dlkit.engine.signals import StopSignals
from dlkit.errors import RunError, UsageError
from dlkit.events import Checkpointed, Finished, MetricsLogged, Sampled, Started
from dlkit.runs.checkpoints import choose, complete
from dlkit.runs.folder import RunFolder, summarise
from dlkit.runs.lock import RunLock
from dlkit.runs.log import history, read_events
from dlkit.use.load import load_predictor
from outcome import close_at, finished, outcome, stop_at, values_of
from toy import finish, toy_attempt, toy_catalog, toy_resume, toy_run
from toy_options import PlaneConfig
from toy_parts import build_plane
from waiting import until

EXTRAS = ("extras",)
SLOW = {"loss": {"name": "troubled", "wait": 0.005}}


@pytest.fixture
def every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop flushes after each step."""
    monkeypatch.setattr(loop, "FLUSH_SECONDS", 0)


def mean_square(run: RunFolder, split: Split, count: int) -> float:
    """What the stored model makes of a split's first samples, through its predictor."""
    batch = split.take(torch.arange(count))
    answers = load_predictor(toy_catalog(*EXTRAS), run, "last").predictor.predict(batch["x"].tolist())
    found = torch.tensor([answer["y"] for answer in answers])
    return float((found - batch["y"]).square().mean())


def plane(**options: Any) -> Any:
    return build_plane(PlaneConfig(**options), Context(Path("unused")))


def test_events_come_in_order_and_are_recorded_before_they_are_seen(tmp_path: Path) -> None:
    attempt = toy_attempt(tmp_path)
    kinds = []
    for number, event in enumerate(attempt.events()):
        assert event.seq == number
        assert read_events(attempt.run.events)[-1].seq >= number
        kinds.append(type(event))
    assert kinds[0] is Started
    assert kinds[-1] is Finished
    assert {MetricsLogged, Sampled, Checkpointed} <= set(kinds)
    assert kinds.count(Sampled) == 1


def test_a_finished_run_says_what_it_reached(tmp_path: Path) -> None:
    run = toy_run(tmp_path)
    end, summary = finished(run), summarise(run)
    steps, values = history(read_events(run.events), "val/mse")
    assert steps == [6, 12, 18]
    assert end.metrics["val/mse"] == min(values) == summary.best
    assert (end.status, end.steps, summary.state, summary.last) == ("completed", 18, "completed", values[-1])
    assert history(read_events(run.events), "train/loss")[0] == list(range(1, 19))
    assert history(read_events(run.events), "lr")[0] == [1]  # probed every 20 steps


def test_evaluation_measures_the_stored_model(tmp_path: Path) -> None:
    run = toy_run(tmp_path)
    last = history(read_events(run.events), "val/mse")[1][-1]
    assert mean_square(run, plane().val, 40) == pytest.approx(last, rel=1e-5)


def test_limited_batches_limit_epochs_and_evaluation(tmp_path: Path) -> None:
    run = toy_run(tmp_path, limit_batches=2, eval_batch_size=10)
    steps, values = history(read_events(run.events), "val/mse")
    assert steps == [2, 4, 6]
    assert mean_square(run, plane().val, 20) == pytest.approx(values[-1], rel=1e-5)


def test_overfitting_trains_and_evaluates_on_the_first_batches_unchanged(tmp_path: Path) -> None:
    layer = {"dataset": {"name": "plane", "jitter": 5.0}, "model": {"name": "linear", "dropout": 0.0}}
    run = toy_run(tmp_path, layer=layer, overfit_batches=2, epochs=30)
    steps, values = history(read_events(run.events), "val/mse")
    assert steps[-1] == 60
    assert values[-1] < 0.02, "noise of 0.1, without the augmentation's 5"
    assert mean_square(run, plane().train, 32) == pytest.approx(values[-1], rel=1e-5)


def test_steps_end_a_run_in_the_middle_of_an_epoch(tmp_path: Path) -> None:
    run = toy_run(tmp_path, steps=8)
    assert history(read_events(run.events), "val/mse")[0] == [6, 8]
    last = choose(run.path, "last").manifest
    assert (last.step, last.epoch, last.batch) == (8, 1, 2)


def test_without_labels_to_measure_nothing_is_best(tmp_path: Path) -> None:
    run = toy_run(tmp_path, eval_every="never", sample_every="never")
    assert [c.manifest.best for c in complete(run.path)] == [False]
    assert choose(run.path, "best").step == 18
    assert (summarise(run).best, finished(run).metrics["train/loss"] > 0) == (None, True)


STILL = {"trainer": {"lr": 1e-30, "optimizer": "sgd"}}


@pytest.mark.parametrize("patience", [1, 3])
def test_early_stopping_counts_evaluations_without_a_better_one(tmp_path: Path, patience: int) -> None:
    run = toy_run(tmp_path, layer=STILL, early_stopping=patience, epochs=50, eval_every="4 steps", sample_every="end")
    end = finished(run)
    assert (end.status, end.steps) == ("completed", 4 * (1 + patience))
    assert end.reason == f"early stopping: no better val/mse in {patience} evaluations"
    assert [e.step for e in read_events(run.events) if isinstance(e, Sampled)] == [end.steps]
    assert choose(run.path, "best").step == 4


@pytest.mark.usefixtures("every_step")
def test_patience_is_remembered_by_a_resume(tmp_path: Path) -> None:
    run = close_at(toy_attempt(tmp_path, layer=STILL, early_stopping=3, epochs=50), 13)
    finish(toy_resume(run))
    assert finished(run).steps == 6 * 4


WORSE = {"model": {"name": "linear", "dropout": 0.0}, "trainer": {"optimizer": "sgd", "lr": 1.2, "momentum": 0.0}}


@pytest.mark.usefixtures("every_step")
def test_the_best_checkpoint_is_kept(tmp_path: Path) -> None:
    run = toy_run(tmp_path, layer=WORSE, keep=2, checkpoint_every=1e-6)
    values = history(read_events(run.events), "val/mse")[1]
    assert values == sorted(values), "it diverges: the first is the best"
    kept = complete(run.path)
    assert [c.step for c in kept if c.manifest.best] == [6]
    assert kept[-1].step == 18
    assert len(kept) in (2, 3), "the best, the last, and the one before it unless that had to be skipped"
    assert (choose(run.path, "best").step, choose(run.path, "last").step) == (6, 18)
    assert finished(run).metrics["val/mse"] == values[0]


def test_time_ends_a_run_completed_after_a_last_evaluation(tmp_path: Path) -> None:
    run = finish(toy_attempt(tmp_path, layer=SLOW, plugins=EXTRAS, epochs=1000, eval_every="end", max_time=0.3))
    end = finished(run)
    assert (end.status, end.reason) == ("completed", "max_time of 0.3 s reached")
    assert 0 < end.steps < 6000
    left = [e.time_left for e in read_events(run.events) if isinstance(e, MetricsLogged) and e.rate]
    assert None not in left and left == sorted(left, reverse=True) and 0 <= left[-1] < 0.3
    assert history(read_events(run.events), "val/mse")[0] == [end.steps]
    assert choose(run.path, "last").step == end.steps
    assert [e.step for e in read_events(run.events) if isinstance(e, Sampled)] == [end.steps]


def test_a_loss_that_is_not_a_number_fails_the_run(tmp_path: Path) -> None:
    layer = {"loss": {"name": "troubled", "nan_at": 15}}
    run = finish(toy_attempt(tmp_path, layer=layer, plugins=EXTRAS, checkpoint_every=1e-6))
    end = finished(run)
    assert (end.status, end.traceback) == ("failed", "")
    assert end.reason == "train/loss became nan at step 15 (epoch 2, batch 2); last good checkpoint: step 12"
    assert summarise(run).reason == end.reason
    assert [c.step for c in complete(run.path)] == [6, 12]


@pytest.mark.parametrize("flush", [0, 0.25])
@pytest.mark.parametrize("accumulate", [1, 3])
def test_nan_is_named_exactly_and_nothing_is_saved_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flush: float, accumulate: int
) -> None:
    monkeypatch.setattr(loop, "FLUSH_SECONDS", flush)
    layer = {"loss": {"name": "troubled", "nan_at": 4 * accumulate}}
    run = finish(toy_attempt(tmp_path, layer=layer, plugins=EXTRAS, checkpoint_every=1e-6, accumulate=accumulate))
    epoch, batch = divmod(3 * accumulate, 6)
    assert f"at step 4 (epoch {epoch}, batch {batch})" in finished(run).reason
    assert all(c.step < 4 for c in complete(run.path))
    assert values_of(run)["train/loss", 3] > 0


@pytest.mark.usefixtures("every_step")
@pytest.mark.parametrize("leave", [close_at, stop_at])
def test_leaving_at_a_nan_does_not_save_it(tmp_path: Path, leave: Any) -> None:
    layer = {"loss": {"name": "troubled", "nan_at": 9}}
    run = leave(toy_attempt(tmp_path, layer=layer, plugins=EXTRAS), 9)
    assert finished(run).status == "failed"
    assert "train/loss became nan at step 9" in finished(run).reason
    assert [c.step for c in complete(run.path)] == [6]


def test_weights_that_are_not_numbers_are_not_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loss of a step is that of the weights before it: a last good checkpoint must be one."""
    monkeypatch.setattr(loop, "FLUSH_SECONDS", 0)
    layer = {"trainer": {"optimizer": "sgd", "lr": 1e38}}
    run = toy_run(tmp_path, layer=layer, checkpoint_every=1e-6, eval_every="never", sample_every="never")
    assert finished(run).status == "failed"
    for checkpoint in complete(run.path):
        weights = load_predictor(toy_catalog(), run, str(checkpoint.step)).predictor.model.state_dict()
        assert all(bool(value.isfinite().all()) for value in weights.values())


def test_a_component_that_raises_fails_the_run_with_its_traceback(tmp_path: Path) -> None:
    layer = {"loss": {"name": "troubled", "raise_at": 10}}
    run = finish(toy_attempt(tmp_path, layer=layer, plugins=EXTRAS))
    end = finished(run)
    assert (end.status, end.steps) == ("failed", 9)
    assert end.reason == "ArithmeticError: call 10; last good checkpoint: step 6"
    assert "extras_parts.py" in end.traceback
    assert history(read_events(run.events), "train/loss")[0] == list(range(1, 10))
    assert summarise(run).state == "failed"


def test_a_failed_run_goes_on_from_its_last_good_checkpoint(tmp_path: Path) -> None:
    whole = toy_run(tmp_path, layer={"model": {"name": "linear", "dropout": 0.3}})
    layer = {"loss": {"name": "troubled", "raise_at": 16}, "model": {"name": "linear", "dropout": 0.3}}
    run = finish(toy_attempt(tmp_path, layer=layer, plugins=EXTRAS))
    finish(toy_resume(run, plugins=EXTRAS))  # steps count anew in each process: 16 more are not made
    assert outcome(run) == outcome(whole)
    assert values_of(run) == values_of(whole)
    assert summarise(run).reason == ""


@pytest.mark.usefixtures("every_step")
def test_closing_the_stream_stops_the_run_with_a_checkpoint(tmp_path: Path) -> None:
    run = close_at(toy_attempt(tmp_path), 8)
    end = finished(run)
    assert (end.status, end.steps, end.reason) == ("stopped", 8, "closed by its consumer")
    assert choose(run.path, "last").step == 8
    assert summarise(run).state == "stopped"


def test_closing_the_stream_before_the_first_step(tmp_path: Path) -> None:
    stream = toy_attempt(tmp_path).events()
    assert isinstance(next(stream), Started)
    stream.close()
    (run,) = (RunFolder(path) for path in (tmp_path / "runs").iterdir())
    assert (finished(run).status, finished(run).steps) == ("stopped", 0)
    assert not values_of(run), "nothing was evaluated at step 0"
    assert outcome(finish(toy_resume(run))) == outcome(toy_run(tmp_path))


@pytest.mark.usefixtures("every_step")
def test_closing_the_stream_when_all_is_done_completes_the_run(tmp_path: Path) -> None:
    run = close_at(toy_attempt(tmp_path), 18)
    assert (finished(run).status, finished(run).reason) == ("completed", "")
    assert history(read_events(run.events), "val/mse")[0] == [6, 12, 18]


@pytest.mark.usefixtures("every_step")
@pytest.mark.parametrize(
    ("number", "reason"),
    [(signal.SIGINT, "interrupted (Ctrl-C)"), (signal.SIGTERM, "terminated (SIGTERM)")],
)
def test_a_signal_stops_after_the_step_with_a_checkpoint(tmp_path: Path, number: int, reason: str) -> None:
    attempt = toy_attempt(tmp_path)
    for event in attempt.events():
        if isinstance(event, MetricsLogged) and event.first == 7:
            os.kill(os.getpid(), number)
    end = finished(attempt.run)
    assert (end.status, end.reason) == ("stopped", reason)
    assert 7 <= end.steps <= 8
    assert choose(attempt.run.path, "last").step == end.steps
    assert signal.getsignal(number) is not None
    assert not isinstance(getattr(signal.getsignal(number), "__self__", None), StopSignals), "handlers are put back"


def test_a_second_signal_ends_at_once(tmp_path: Path) -> None:
    """The first step takes ten minutes; a signal before it would end the run by itself."""

    def asked() -> str | None:
        listening = getattr(signal.getsignal(signal.SIGINT), "__self__", None)
        return listening.asked if isinstance(listening, StopSignals) else None

    def in_the_step() -> bool:
        frame = sys._current_frames().get(threading.main_thread().ident or 0)
        return any("extras_parts" in one.f_code.co_filename for one, _ in traceback.walk_stack(frame))

    def press_twice() -> None:
        for before in (lambda: asked() is not None and in_the_step(), asked):
            until(before)
            os.kill(os.getpid(), signal.SIGINT)

    layer = {"loss": {"name": "troubled", "wait": 600.0}}
    attempt = toy_attempt(tmp_path, layer=layer, plugins=EXTRAS)
    pressing = threading.Thread(target=press_twice)
    pressing.start()
    began = time.monotonic()
    finish(attempt)
    pressing.join()
    assert time.monotonic() - began < 600
    end = finished(attempt.run)
    assert (end.status, end.steps, end.reason) == ("stopped", 0, "interrupted (Ctrl-C), at once")
    assert complete(attempt.run.path) == []


def test_a_run_that_is_alive_is_neither_resumed_nor_run_twice(tmp_path: Path) -> None:
    attempt = toy_attempt(tmp_path)
    with RunLock(attempt.run.lock):
        with pytest.raises(RunError, match=rf"is already running \(process {os.getpid()}\)"):
            finish(attempt)
        with pytest.raises(RunError, match=rf"is running \(process {os.getpid()}\)"):
            toy_resume(attempt.run)
    assert summarise(finish(attempt)).state == "completed"


def test_a_copied_run_goes_on_where_it_lies(tmp_path: Path) -> None:
    run = toy_run(tmp_path / "workspace")
    copied = RunFolder(tmp_path / "usb" / "backup" / "run")
    shutil.copytree(run.path, copied.path)
    shutil.rmtree(tmp_path / "workspace")
    finish(toy_resume(copied, epochs=4))
    assert finished(copied).steps == 24
    assert [path.name for path in (tmp_path / "usb").rglob("dlkit.db")] == [], "no workspace, no index"
    assert not (tmp_path / "workspace").exists()


def test_a_metric_that_is_no_scalar_is_a_plugins_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dlkit.engine.supervised import SupervisedTrainer

    plain = SupervisedTrainer.step
    monkeypatch.setattr(
        SupervisedTrainer, "step", lambda self, batches, n: {**plain(self, batches, n), "odd": torch.zeros(2)}
    )
    end = finished(toy_run(tmp_path))
    assert end.status == "failed"
    assert end.reason.startswith("a trainer's metric has shape [2]: it must be a scalar")
    assert end.steps == 6


def test_epochs_or_steps_must_be_given(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"give engine\.epochs or engine\.steps"):
        toy_attempt(tmp_path, epochs=None)
