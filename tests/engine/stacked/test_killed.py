"""kill -9 of a process that trains many runs as one: all come to what they would have come to."""

from __future__ import annotations

import multiprocessing
import random
import time
from multiprocessing.synchronize import Event as Flag
from pathlib import Path
from typing import Any

import pytest

from dlkit.data.context import Context
from dlkit.engine.stacked.starting import resume_stack
from dlkit.events import Checkpointed, Resumed
from dlkit.runs.folder import ENDED, RunFolder, current_state
from dlkit.runs.log import read_events
from outcome import finished, outcome, values_of
from stacks import catalog, configured, stacked, trained
from waiting import LONG

COMMON = {"engine.checkpoint_every": 0.2, "engine.eval_every": "5 epochs", "trainer.momentum": 0.9}


def configurations(rows: int, epochs: int) -> list[Any]:
    own: list[dict[str, Any]] = [
        {"engine.seed": k % 3, "trainer.lr": 0.01 + 0.02 * k / rows, "model.dropout": 0.1 + 0.2 * k / rows}
        for k in range(rows)
    ]
    common = {**COMMON, "engine.epochs": epochs, "model.hidden": [16], "trainer.optimizer": "adamw"}
    return configured(*({**common, **one} for one in own))


def unfinished(where: Path) -> list[RunFolder]:
    runs = [RunFolder(path) for path in sorted((where / "runs").iterdir())]
    return [run for run in runs if current_state(run, run.read()) not in ENDED]


def train(workspace: str, rows: int, epochs: int, reported: Flag) -> None:
    """In a process of its own: begin, or go on with what has not ended; ``reported`` is set when some of it is kept."""
    where = Path(workspace)
    context = Context(where / "data")
    if (where / "runs").exists():
        training = resume_stack(catalog(), unfinished(where), context)
    else:
        training = stacked(where, configurations(rows, epochs))
    for _, event in training.events():
        if isinstance(event, Checkpointed):
            reported.set()


def killed(where: Path, rows: int, epochs: int, kills: int) -> None:
    context, instants = multiprocessing.get_context("forkserver"), random.Random(11)
    context.set_forkserver_preload(["torch", "torch._dynamo", "toy", "toy_parts", "stackable_parts", "stacks"])
    for _ in range(kills):
        reported = context.Event()
        process = context.Process(target=train, args=(str(where), rows, epochs, reported))
        process.start()
        assert reported.wait(LONG), "no run ever had a checkpoint"
        time.sleep(instants.uniform(0.1, 0.5))
        process.kill()
        process.join()
        assert process.exitcode == -9, "the stack ended before it was killed"


def by_settings(runs: list[RunFolder]) -> dict[bytes, RunFolder]:
    return {run.config.read_bytes(): run for run in runs}


def compare(tmp_path: Path, rows: int, epochs: int, kills: int) -> None:
    whole = by_settings(trained(stacked(tmp_path / "whole", configurations(rows, epochs))))
    where = tmp_path / "killed"
    killed(where, rows, epochs, kills)
    runs = [RunFolder(path) for path in sorted((where / "runs").iterdir())]
    for _ in resume_stack(catalog(), unfinished(where), Context(where / "data")).events():
        pass
    assert len(runs) == rows
    for run in runs:
        other = whole[run.config.read_bytes()]
        assert finished(run).status == "completed"
        assert outcome(run) == outcome(other)  # float32, and every bit: rows do not notice which others there are
        assert values_of(run) == values_of(other)
    resumed = [event for run in runs for event in read_events(run.events) if isinstance(event, Resumed)]
    assert len(resumed) == rows * kills
    assert any(event.from_step for event in resumed)


def test_a_stack_that_is_killed_ends_like_one_that_is_not(tmp_path: Path) -> None:
    compare(tmp_path, rows=6, epochs=250, kills=1)


@pytest.mark.slow
def test_two_hundred_and_fifty_six_rows(tmp_path: Path) -> None:
    compare(tmp_path, rows=256, epochs=60, kills=1)
