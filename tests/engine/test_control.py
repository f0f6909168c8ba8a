"""Commands to a running job: obeyed soon, recorded, and without an effect on what is computed, but for ``set``."""

from __future__ import annotations

import itertools
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dlkit.engine import loop
from dlkit.engine.attempt import Attempt
from dlkit.events import Checkpointed, Commanded, Event, MetricsLogged, Sampled
from dlkit.runs import commands
from dlkit.runs.checkpoints import choose
from dlkit.runs.folder import RunFolder, summarise
from dlkit.runs.log import history, read_events
from outcome import Outcome, close_at, finished, outcome, values_of
from toy import finish, toy_attempt, toy_resume
from waiting import LONG

EXTRAS = ("extras",)
LAYER: dict[str, Any] = {
    "dataset": {"name": "plane", "points": 96, "jitter": 0.2},
    "model": {"name": "mlp", "dropout": 0.2},
    "trainer": {"optimizer": "adamw", "lr": 0.01},
}
ENGINE: dict[str, Any] = {"epochs": 10, "batch_size": 16, "checkpoint_every": 60, "probe_every": 1}
STEPS = 60


def attempt(where: Path, wait: float = 0.0, evaluation_wait: float = 0.0, **engine: Any) -> Attempt:
    loss = {"name": "troubled", "wait": wait, "evaluation_wait": evaluation_wait}
    return toy_attempt(where, layer={**LAYER, "loss": loss}, plugins=EXTRAS, **{**ENGINE, **engine})


def at(event: Event) -> int:
    return event.last_step if isinstance(event, MetricsLogged) else -1


def train(job: Attempt, asks: Mapping[int, Callable[[RunFolder], object]]) -> RunFolder:
    """To the end; at the first event that has come to a step, do what is asked for there."""
    left = dict(sorted(asks.items()))
    for event in job.events():
        for step in [step for step in left if at(event) >= step]:
            left.pop(step)(job.run)
    return job.run


def ask(action: str, key: str = "", value: Any = None) -> Callable[[RunFolder], str]:
    return lambda run: commands.append(run.commands, action, key, value, by="a test")


def soon(run: RunFolder, action: str, seconds: float) -> None:
    threading.Timer(seconds, commands.append, (run.commands, action)).start()


def obeyed(run: RunFolder) -> list[Commanded]:
    return [event for event in read_events(run.events) if isinstance(event, Commanded)]


@pytest.fixture
def every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "FLUSH_SECONDS", 0)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """What nobody disturbed."""
    return outcome(finish(attempt(tmp_path_factory.mktemp("whole"))))


def test_stop_checkpoints_and_says_who_asked(tmp_path: Path, every_step: None, whole: Outcome) -> None:
    run = train(attempt(tmp_path), {20: ask("stop")})
    end = finished(run)
    assert (end.status, end.reason) == ("stopped", "stopped by a test")
    assert 20 <= end.steps <= 22
    assert choose(run.path, "last").step == end.steps
    assert [(event.action, event.by, event.step, event.refused) for event in obeyed(run)] == [
        ("stop", "a test", end.steps, "")
    ]
    finish(toy_resume(run, plugins=EXTRAS))
    assert finished(run).status == "completed", "the stop is not obeyed again"
    assert outcome(run) == whole


def test_a_paused_run_waits_and_says_so(tmp_path: Path, every_step: None, whole: Outcome) -> None:
    def look_after(run: RunFolder) -> None:
        deadline = time.monotonic() + LONG
        while summarise(run).state != "paused" and time.monotonic() < deadline:
            time.sleep(0.01)
        for action in ("pause", "checkpoint", "sample"):
            commands.append(run.commands, action)
        time.sleep(0.6)
        for _ in range(2):
            commands.append(run.commands, "unpause")

    def pause(run: RunFolder) -> None:
        commands.append(run.commands, "pause")
        threading.Thread(target=look_after, args=(run,)).start()

    job = attempt(tmp_path, wait=0.01, max_time=30)
    began = time.monotonic()
    run = train(job, {10: pause})
    seconds = time.monotonic() - began
    told = {event.action: event for event in obeyed(run) if not event.refused}
    assert told["pause"].step == told["unpause"].step == told["checkpoint"].step == told["sample"].step
    assert told["unpause"].time - told["pause"].time > 0.5
    assert [event.refused for event in obeyed(run) if event.refused] == ["it is paused already", "it is not paused"]
    paused_at = told["pause"].step
    events = read_events(run.events)
    assert any(isinstance(event, Checkpointed) and event.step == paused_at for event in events)
    assert any(isinstance(event, Sampled) and event.step == paused_at for event in events)
    assert finished(run).seconds < seconds - 0.5, "pauses are not counted"
    assert outcome(run) == whole


def test_a_stop_reaches_a_paused_run(tmp_path: Path, every_step: None, whole: Outcome) -> None:
    def pause(run: RunFolder) -> None:
        commands.append(run.commands, "pause")
        soon(run, "stop", 0.2)

    run = train(attempt(tmp_path), {10: pause})
    assert finished(run).status == "stopped"
    assert outcome(finish(toy_resume(run, plugins=EXTRAS))) == whole


def in_evaluation(run: RunFolder, monkeypatch: pytest.MonkeyPatch, asks: Mapping[int, str]) -> list[float]:
    """Ask at these batches of the first evaluation, each of which waits: a clock does not know when it begins. When."""
    batches, asked = itertools.count(1), []

    def sleep(seconds: float) -> None:
        if seconds and (action := asks.get(next(batches))):
            asked.append(time.time())
            commands.append(run.commands, action)
        time.sleep(seconds)

    monkeypatch.setattr("extras_parts.time", SimpleNamespace(sleep=sleep))
    return asked


def test_commands_are_obeyed_within_an_evaluation(
    tmp_path: Path, whole: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Evaluations of 32 batches, 0.05 s each: stop, sample and checkpoint do not wait for their end."""
    job = attempt(tmp_path, evaluation_wait=0.05, eval_batch_size=1, eval_every="5 epochs")
    sent = in_evaluation(job.run, monkeypatch, {4: "sample", 5: "checkpoint", 10: "stop"})
    run = finish(job)
    assert [event.action for event in obeyed(run)] == ["sample", "checkpoint", "stop"]
    assert all(event.time > asked for event, asked in zip(obeyed(run), sent, strict=True))
    events = read_events(run.events)
    assert [event.step for event in events if isinstance(event, Sampled)] == [30]
    assert next(event.step for event in events if isinstance(event, Checkpointed)) == 30
    assert not any(name.startswith("val/") for name, _ in values_of(run)), "the evaluation was not finished"
    assert outcome(finish(toy_resume(run, plugins=EXTRAS))) == whole, "it is made up for"
    assert {step for name, step in values_of(run) if name == "val/mse"} == {30, 60}


def test_what_a_checkpoint_within_an_evaluation_holds_is_before_it(
    tmp_path: Path, whole: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after that evaluation was recorded, the run goes on from before it, and it is recorded once."""
    job = attempt(tmp_path, evaluation_wait=0.05, eval_batch_size=4, eval_every="5 epochs")
    in_evaluation(job.run, monkeypatch, {3: "checkpoint"})
    stream = job.events()
    for event in stream:
        if isinstance(event, MetricsLogged) and "val/mse" in event.values and event.first == 30:
            break
    log = job.run.events.read_bytes()
    (folder,) = job.run.checkpoints.glob("step-*")
    saved = tmp_path / "saved"
    shutil.copytree(folder, saved)
    stream.close()
    forget_checkpoints(job.run, log)
    shutil.copytree(saved, folder)
    run = finish(toy_resume(job.run, plugins=EXTRAS))
    assert outcome(run) == whole
    assert ("val/mse", 30) in values_of(run)


def test_set_changes_the_learning_rate_from_then_on(tmp_path: Path, every_step: None) -> None:
    run = train(attempt(tmp_path), {20: ask("set", "trainer.lr", 0.002)})
    (command,) = obeyed(run)
    steps, rates = history(read_events(run.events), "lr")
    assert all(rate == 0.01 for step, rate in zip(steps, rates, strict=True) if step <= command.step)
    assert all(rate == 0.002 for step, rate in zip(steps, rates, strict=True) if step > command.step)
    assert choose(run.path, "last").manifest.settings == {"trainer.lr": 0.002}


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("trainer.momentum", 0.5, "trainer.momentum cannot be changed while the run goes"),
        ("trainer.lr", -1, "trainer.lr = -1: must be a number above 0"),
        ("trainer.lr", "fast", "trainer.lr = 'fast'"),
        ("engine.seed", 3, "trainer.aux_lr, trainer.lr"),
    ],
)
def test_what_cannot_be_set_is_refused(tmp_path: Path, whole: Outcome, key: str, value: Any, reason: str) -> None:
    run = train(attempt(tmp_path), {1: ask("set", key, value)})
    (command,) = obeyed(run)
    assert reason in command.refused
    assert outcome(run) == whole


ASKED = st.lists(st.tuples(st.integers(1, STEPS), st.sampled_from(["sample", "checkpoint", "pause"])), max_size=6)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=ASKED, stop=st.integers(1, STEPS), every=st.sampled_from(["1 step", "5 steps", "1 epoch", "never"]))
def test_whatever_is_asked_changes_no_weight(
    tmp_path_factory: pytest.TempPathFactory,
    every_step: None,
    whole: Outcome,
    asked: list[tuple[int, str]],
    stop: int,
    every: str,
) -> None:
    """Samples, checkpoints, pauses and a stop at any steps, then a resume: the weights are those of a quiet run."""
    with tempfile.TemporaryDirectory(dir=tmp_path_factory.getbasetemp()) as folder:
        job = attempt(Path(folder), sample_every=every, eval_every="1 epoch")
        for event in job.events():
            for action in [action for step, action in asked if step == at(event)]:
                commands.append(job.run.commands, action)
                if action == "pause":
                    commands.append(job.run.commands, "unpause")
            if at(event) == stop:
                commands.append(job.run.commands, "stop")
        if finished(job.run).status == "stopped":
            finish(toy_resume(job.run, plugins=EXTRAS))
        assert outcome(job.run)[:2] == whole[:2]


def test_unknown_commands_are_refused(tmp_path: Path, whole: Outcome) -> None:
    run = train(attempt(tmp_path), {1: ask("explode")})
    assert [event.refused for event in obeyed(run)] == ["unknown command 'explode'"]
    assert outcome(run) == whole


def test_an_engine_option_can_be_set(tmp_path: Path, every_step: None) -> None:
    run = train(attempt(tmp_path, wait=0.005), {5: ask("set", "engine.max_time", 0.1)})
    assert finished(run).reason == "max_time of 0.1 s reached"
    assert finished(run).status == "completed"


def forget_checkpoints(run: RunFolder, log: bytes) -> None:
    """As if the process had been killed when its log was this, and before its first checkpoint."""
    shutil.rmtree(run.checkpoints)
    run.checkpoints.mkdir()
    run.events.write_bytes(log)
    run.update(state="running", result=None)


def test_a_setting_is_made_again_at_the_same_step(tmp_path: Path, every_step: None) -> None:
    """Changed twice; killed before a checkpoint knew of either; resumed, killed between them, and resumed again."""
    asks = {20: ask("set", "trainer.lr", 0.002), 40: ask("set", "trainer.lr", 0.005)}
    made = [(20, 0.002), (40, 0.005)]
    reference = train(attempt(tmp_path / "whole"), asks)
    assert [(event.step, event.value) for event in obeyed(reference)] == made

    run = train(attempt(tmp_path / "killed"), asks)
    forget_checkpoints(run, run.events.read_bytes())
    close_at(toy_resume(run, plugins=EXTRAS), 30)
    assert [(event.step, event.value) for event in obeyed(run)] == made[:1]
    finish(toy_resume(run, plugins=EXTRAS))
    assert [(event.step, event.value) for event in obeyed(run)] == made
    rates = dict(zip(*history(read_events(run.events), "lr"), strict=True))
    assert [rates[step] for step in (20, 21, 40, 41)] == [0.01, 0.002, 0.002, 0.005]
    assert outcome(run) == outcome(reference)


def test_a_torn_line_in_commands_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "commands.jsonl"
    path.write_bytes(b'{"action": "stop"}\n{"action": "pa')
    found, end = commands.read(path)
    assert [command.action for command in found] == ["stop"]
    commands.append(path, "unpause")
    assert [command.action for command in commands.read(path, end)[0]] == ["unpause"]
