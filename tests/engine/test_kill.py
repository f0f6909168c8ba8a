"""kill -9 at random instants: the run ends as if nothing had happened."""

from __future__ import annotations

import multiprocessing
import random
import time
from multiprocessing.synchronize import Event as Flag
from pathlib import Path
from typing import Any

from dlkit.events import MetricsLogged, Resumed
from dlkit.runs.finding import find_run
from dlkit.runs.folder import RunFolder, current_state
from dlkit.runs.log import parse_lines, read_events
from outcome import outcome, values_of
from toy import finish, toy_attempt, toy_resume
from waiting import LONG

KILLS = 8
EXTRAS = ("extras",)
ENGINE: dict[str, Any] = {
    "epochs": 60,
    "accumulate": 2,
    "ema": 0.9,
    "eval_every": "5 steps",
    "sample_every": "50 steps",
    "checkpoint_every": 0.05,
    "probe_every": 3,
    "threads": 1,
}
STEPS, EPOCH_STEPS = 360, 6


def layer(wait: float) -> dict[str, Any]:
    return {
        "dataset": {"name": "plane", "points": 192, "jitter": 0.2},
        "model": {"name": "mlp", "dropout": 0.2},
        "loss": {"name": "troubled", "wait": wait},
        "trainer": {"optimizer": "adamw", "lr": 0.01, "schedule": "cosine", "warmup": 0.1},
    }


def train(workspace: str, reported: Flag) -> None:
    """In a process of its own: begin, or go on; ``reported`` is set at the first recorded step."""
    where = Path(workspace)
    if (where / "runs").exists():
        attempt = toy_resume(find_run(where, "last"), plugins=EXTRAS)
    else:
        attempt = toy_attempt(where, layer=layer(wait=0.003), plugins=EXTRAS, **ENGINE)
    for event in attempt.events():
        if isinstance(event, MetricsLogged):
            reported.set()


def kill_once(context: Any, workspace: Path, delay: float) -> None:
    reported = context.Event()
    process = context.Process(target=train, args=(str(workspace), reported))
    process.start()
    assert reported.wait(LONG), "the run never reported a step"
    time.sleep(delay)
    process.kill()
    process.join()
    assert process.exitcode == -9, "the run ended before it was killed"


def test_killed_runs_end_like_uninterrupted_ones(tmp_path: Path) -> None:
    whole = finish(toy_attempt(tmp_path / "whole", layer=layer(wait=0), plugins=EXTRAS, **ENGINE))
    # A server that has imported torch forks the processes: each begins in milliseconds, and is as mortal as any.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["torch", "torch._dynamo", "toy", "toy_parts", "extras_parts", "outcome"])
    instants = random.Random(5)
    for _ in range(KILLS):
        kill_once(context, tmp_path, instants.uniform(0, 0.2))
    run = find_run(tmp_path, "last")
    assert current_state(run, run.read()) == "interrupted"
    finish(toy_resume(run, plugins=EXTRAS))

    assert outcome(run) == outcome(whole)
    assert values_of(run) == values_of(whole)  # each exactly once, equal bit for bit
    starts = resumed_from(run)
    assert len(starts) == KILLS
    assert any(start % EPOCH_STEPS for start in starts), "no resume was in the middle of an epoch"
    assert outcome(run)[0] == STEPS
    assert not list(run.checkpoints.glob(".*")), "nothing unfinished is left"
    assert [event.seq for event in parse_lines(run.events.read_bytes().splitlines())] == list(range(count_lines(run)))


def resumed_from(run: RunFolder) -> list[int]:
    return [event.from_step for event in read_events(run.events) if isinstance(event, Resumed)]


def count_lines(run: RunFolder) -> int:
    return run.events.read_bytes().count(b"\n")
