"""Everything random is a function: what is watched, saved or interrupted changes no weight."""

from __future__ import annotations

import gc
import json
import multiprocessing
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dlkit.engine import loop
from dlkit.engine.attempt import Attempt
from dlkit.errors import RunError, UsageError
from dlkit.events import Notice, Resumed
from dlkit.runs.checkpoints import choose, complete
from dlkit.runs.folder import RunFolder
from dlkit.runs.log import read_events
from outcome import Outcome, close_at, outcome, stop_at, values_of
from toy import finish, toy_attempt, toy_resume, toy_run

EXTRAS = ("extras",)
RANDOM: dict[str, Any] = {
    "dataset": {"name": "plane", "jitter": 0.2},
    "model": {"name": "mlp", "dropout": 0.3},
}
"""Dropout, augmentation and batch statistics."""
CADENCES = ["never", "end", "1 epoch", "2 epochs", "1 step", "5 steps"]
STEPS = 18  # three epochs of six
WATCHED: dict[str, Any] = {"eval_every": "2 steps", "eval_first": True, "sample_every": "4 steps"}


@pytest.fixture
def every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop flushes after each step, so that it can be left at any."""
    monkeypatch.setattr(loop, "FLUSH_SECONDS", 0)


@contextmanager
def flushing(seconds: float) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "FLUSH_SECONDS", seconds)
        yield


@contextmanager
def workspace() -> Iterator[Path]:
    """A folder in memory: a run is mostly fsyncs."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


def trained(layer: dict[str, Any] = RANDOM, plugins: tuple[str, ...] = EXTRAS, **engine: Any) -> Outcome:
    with workspace() as folder:
        return outcome(finish(toy_attempt(folder, layer=layer, plugins=plugins, **engine)))


@cache
def plain() -> Outcome:
    """The run that the others must equal: nobody looks at it."""
    return trained(eval_every="never", sample_every="never", probe_every=0)


@given(
    eval_every=st.sampled_from(CADENCES),
    eval_first=st.booleans(),
    sample_every=st.sampled_from(CADENCES),
    checkpoint_every=st.sampled_from([1e-6, 0.02, 30.0]),
    probe_every=st.sampled_from([0, 1, 7]),
    watched=st.booleans(),
    flush=st.sampled_from([0.0, 0.25]),
)
@settings(max_examples=15, deadline=None)
def test_looking_changes_no_weight(watched: bool, flush: float, **engine: Any) -> None:
    plugins = (*EXTRAS, "watcher") if watched else EXTRAS
    with flushing(flush):
        assert trained(plugins=plugins, **engine)[:2] == plain()[:2]


def test_another_seed_changes_the_weights() -> None:
    assert trained(seed=1)[1] != plain()[1]


def test_workers_change_no_weight() -> None:
    layer = {**RANDOM, "dataset": {"name": "plane", "mapped": True, "jitter": 0.2}}
    alone = trained(layer, eval_every="4 steps", epochs=2)
    assert trained(layer, workers=2, eval_every="never", epochs=2)[1] == alone[1]


@pytest.mark.usefixtures("every_step")
@pytest.mark.parametrize("loss", [{}, {"nan_at": 9}, {"raise_at": 9}])
@pytest.mark.parametrize("leave", [finish, lambda attempt: close_at(attempt, 8)])
def test_workers_end_with_their_run(
    tmp_path: Path, leave: Callable[[Attempt], RunFolder], loss: dict[str, int]
) -> None:
    """Not when the garbage collector comes by: it waits 5 s for each."""
    layer = {"dataset": {"name": "plane", "mapped": True}, "loss": {"name": "troubled", **loss}}
    attempt = toy_attempt(tmp_path, layer=layer, plugins=EXTRAS, workers=2, epochs=2)
    gc.disable()
    try:
        leave(attempt)
        assert multiprocessing.active_children() == []
    finally:
        gc.enable()


def test_workers_may_evaluate_what_they_train_on(tmp_path: Path) -> None:
    """Overfitting evaluates the training split in the middle of an epoch over it."""
    layer = {"dataset": {"name": "plane", "mapped": True}}
    runs = [
        toy_run(tmp_path, layer=layer, workers=n, overfit_batches=3, eval_every="2 steps", epochs=2) for n in (0, 1)
    ]
    assert outcome(runs[1]) == outcome(runs[0])
    assert values_of(runs[1]) == values_of(runs[0])


@pytest.mark.usefixtures("every_step")
@given(stops=st.lists(st.integers(1, STEPS - 1), max_size=3), leave=st.sampled_from([close_at, stop_at]))
@settings(max_examples=10, deadline=None)
def test_a_run_left_at_any_step_ends_the_same(stops: list[int], leave: Callable[[Attempt, int], RunFolder]) -> None:
    engine: dict[str, Any] = {**WATCHED, "checkpoint_every": 0.02}
    whole = uninterrupted()
    with workspace() as folder:
        run = interrupted(toy_attempt(folder, layer=RANDOM, plugins=EXTRAS, **engine), stops, leave)
        assert outcome(run) == whole[0]
        assert values_of(run) == whole[1]
        assert len(list(run.samples.iterdir())) == 5  # at steps 4, 8, 12, 16 and the end


@cache
def uninterrupted() -> tuple[Outcome, dict[tuple[str, int], float]]:
    with workspace() as folder:
        run = finish(toy_attempt(folder, layer=RANDOM, plugins=EXTRAS, **WATCHED))
        return outcome(run), values_of(run)


def interrupted(attempt: Attempt, stops: list[int], leave: Callable[[Attempt, int], RunFolder]) -> RunFolder:
    """Left at each of these steps, then gone on to the end."""
    run = attempt.run
    for step in sorted(stops):
        leave(attempt, step)
        attempt = toy_resume(run, plugins=EXTRAS)
    return finish(attempt)


@pytest.mark.usefixtures("every_step")
@pytest.mark.parametrize(
    ("optimizer", "schedule", "warmup"),
    [("sgd", "constant", 0.3), ("adam", "cosine", 0.0), ("adamw", "one-cycle", 0.0), ("muon", "cosine", 0.2)],
)
def test_every_optimizer_and_schedule_resumes_exactly(
    tmp_path: Path, optimizer: str, schedule: str, warmup: float
) -> None:
    trainer = {"optimizer": optimizer, "schedule": schedule, "warmup": warmup, "weight_decay": 0.01, "lr": 0.01}
    layer = {**RANDOM, "trainer": trainer}
    engine: dict[str, Any] = {"accumulate": 2, "ema": 0.8, "clip": 1.0, "epochs": 4, "probe_every": 1}
    whole = finish(toy_attempt(tmp_path, layer=layer, plugins=EXTRAS, **engine))
    run = interrupted(toy_attempt(tmp_path, layer=layer, plugins=EXTRAS, **engine), [4, 8], close_at)
    assert outcome(run) == outcome(whole)
    assert values_of(run) == values_of(whole)
    assert outcome(run)[0] == 12


@pytest.mark.usefixtures("every_step")
def test_samples_made_one_by_one_resume_exactly(tmp_path: Path) -> None:
    layer = {"dataset": {"name": "plane", "mapped": True, "jitter": 0.1}}
    whole = toy_run(tmp_path, layer=layer)
    run = close_at(toy_attempt(tmp_path, layer=layer), 8)
    assert outcome(finish(toy_resume(run))) == outcome(whole)


def test_a_completed_run_goes_on_for_more_epochs(tmp_path: Path) -> None:
    whole = toy_run(tmp_path, epochs=5)
    run = toy_run(tmp_path, epochs=3)
    with pytest.raises(UsageError, match=r"complete at step 18 of 18: give --epochs or --steps"):
        toy_resume(run)
    assert outcome(finish(toy_resume(run, epochs=5))) == outcome(whole)
    assert run.read()["total_steps"] == 30


@pytest.mark.usefixtures("every_step")
def test_more_epochs_are_remembered(tmp_path: Path) -> None:
    whole = toy_run(tmp_path, epochs=5)
    run = toy_run(tmp_path, epochs=3)
    close_at(toy_resume(run, epochs=5), 20)
    assert outcome(finish(toy_resume(run))) == outcome(whole)


@pytest.mark.usefixtures("every_step")
def test_without_a_checkpoint_it_starts_again(tmp_path: Path) -> None:
    run = close_at(toy_attempt(tmp_path), 9)
    for checkpoint in complete(run.path):
        (checkpoint.folder / "manifest.json").unlink()
    attempt = toy_resume(run)
    resumed = next(event for event in attempt.events() if isinstance(event, Resumed))
    assert (resumed.from_step, resumed.exact) == (0, True)


@pytest.mark.usefixtures("every_step")
def test_starting_again_ends_the_same(tmp_path: Path) -> None:
    run = close_at(toy_attempt(tmp_path), 9)
    for checkpoint in complete(run.path):
        (checkpoint.folder / "manifest.json").unlink()
    finish(toy_resume(run))
    whole = toy_run(tmp_path)
    assert outcome(run) == outcome(whole)
    assert values_of(run) == values_of(whole)


def damage(path: Path) -> None:
    """Change one byte, the size remaining."""
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


@pytest.mark.usefixtures("every_step")
@pytest.mark.parametrize("keep", [1, 3])
def test_a_damaged_newest_checkpoint_is_passed_over_and_said(tmp_path: Path, keep: int) -> None:
    whole = toy_run(tmp_path)
    run = close_at(toy_attempt(tmp_path, keep=3, checkpoint_every=1e-6), 9)
    newest, before = choose(run.path, "last"), complete(run.path)[-2]
    damage(newest.folder / "model.safetensors")
    said: list[str] = []
    attempt = toy_resume(run, say=said.append, keep=keep)
    assert said == [
        f"checkpoint {newest.folder.name} cannot be used: model.safetensors was altered: its SHA-256 is not the "
        "manifest's"
    ]
    stream = attempt.events()
    resumed = next(stream)
    assert isinstance(resumed, Resumed)
    assert resumed.from_step == before.step
    assert choose(run.path, "last").step == before.step, "the damaged one is not the last any more"
    for _ in stream:
        pass
    assert outcome(run) == outcome(whole)


def test_a_truncated_checkpoint_is_none(tmp_path: Path) -> None:
    whole = toy_run(tmp_path)
    run = toy_run(tmp_path)
    newest = choose(run.path, "last")
    (newest.folder / "state.safetensors").write_bytes(b"\0" * 20)
    assert choose(run.path, "last").step < newest.step
    assert outcome(finish(toy_resume(run))) == outcome(whole)


def test_no_good_checkpoint_at_all_is_said(tmp_path: Path) -> None:
    run = toy_run(tmp_path)
    for checkpoint in complete(run.path):
        damage(checkpoint.folder / "state.safetensors")
    with pytest.raises(RunError, match="no checkpoint can be used"):
        toy_resume(run, epochs=5)


def test_other_data_is_refused_unless_allowed(tmp_path: Path) -> None:
    run = toy_run(tmp_path)
    run.config.write_text(run.config.read_text().replace("noise = 0.1", "noise = 0.2"))
    with pytest.raises(UsageError, match=r"cannot be resumed exactly: the data differs.*--allow-inexact"):
        toy_resume(run, epochs=4)
    attempt = toy_resume(run, epochs=4, allow_inexact=True)
    finish(attempt)
    resumed = next(event for event in read_events(run.events) if isinstance(event, Resumed))
    assert not resumed.exact
    assert "the data differs" in resumed.differences[0]


def test_another_torch_is_refused(tmp_path: Path) -> None:
    run = toy_run(tmp_path)
    run.update(versions={**run.read()["versions"], "torch": "1.0"})
    with pytest.raises(UsageError, match=rf"torch was 1\.0, is {torch.__version__}".replace("+", r"\+")):
        toy_resume(run, epochs=4)


def test_another_model_of_the_device_is_refused_unless_allowed(tmp_path: Path) -> None:
    run = toy_run(tmp_path)
    there = run.read()["identity"]
    assert (there["kind"], there["count"]) == ("cpu", 1) and there["model"]
    run.update(identity={**there, "model": "Elsewhere 1"})
    with pytest.raises(UsageError, match=r"the device was Elsewhere 1, is .*--allow-inexact"):
        toy_resume(run, epochs=4)
    attempt = toy_resume(run, epochs=4, allow_inexact=True)
    assert attempt.differences[0].startswith("the device was Elsewhere 1, is ")


def test_a_run_that_does_not_say_its_model_is_not_blamed(tmp_path: Path) -> None:
    run = toy_run(tmp_path)
    record = run.read()
    del record["identity"]
    run.record.write_text(json.dumps(record))
    assert toy_resume(run, epochs=4).differences == ()


def test_another_driver_is_no_difference(tmp_path: Path) -> None:
    run = toy_run(tmp_path)
    run.update(identity={**run.read()["identity"], "driver": "1.0", "count": 8})
    assert toy_resume(run, epochs=4).differences == ()


@pytest.fixture
def threads() -> Iterator[int]:
    before = torch.get_num_threads()
    yield before
    torch.set_num_threads(before)


def test_the_number_of_threads_is_restored(tmp_path: Path, threads: int) -> None:
    run = toy_run(tmp_path, threads=threads + 1)
    run.config.write_text(run.config.read_text().replace(f"threads = {threads + 1}", "threads = 0"))
    torch.set_num_threads(threads)
    assert toy_resume(run, epochs=4).differences == ()
    assert torch.get_num_threads() == threads + 1


def test_threads_that_cannot_be_restored_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = toy_run(tmp_path)
    there = run.read()["threads"]
    monkeypatch.setattr("dlkit.engine.build.set_threads", lambda wanted: there + 3)  # a torch that ignores the wish
    with pytest.raises(UsageError, match=rf"threads was {there}, is {there + 3}"):
        toy_resume(run, epochs=4)


def test_notices_are_not_repeated_after_a_resume(tmp_path: Path) -> None:
    run = toy_run(tmp_path)
    finish(toy_resume(run, epochs=4))
    assert not [event for event in read_events(run.events) if isinstance(event, Notice)]
