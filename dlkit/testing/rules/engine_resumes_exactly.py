"""A run that is killed ends as if nothing had happened."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from torch import Tensor

from dlkit.engine.build import Job
from dlkit.engine.start import resume
from dlkit.events import MetricsLogged
from dlkit.runs import commands
from dlkit.runs.folder import RunFolder
from dlkit.testing.finding import Finding
from dlkit.testing.offline import offline_data
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Sections, Subject
from dlkit.testing.trying import attempt, learned, listed, named_tensors, run_to_end, shared_data, trains, unlike

STEPS = 6
KILLED = (2, 3, 5)
"""The steps at which what lies on the disk is what a kill -9 would have left: in the middle of an epoch and at its end,
a checkpoint being written perhaps."""
PATIENCE = 2.0
"""Seconds that a checkpoint may take."""
SETTINGS: Sections = {"engine": {"steps": STEPS, "epochs": None, "eval_every": "1 step", "checkpoint_every": 0.001}}


def check(subject: Subject) -> Iterator[Finding]:
    trains(subject.experiment())
    going, left = attempt(subject, SETTINGS), {}
    _change_rate(going.run, going.job)
    for event in going.events():
        if isinstance(event, MetricsLogged) and "train/" in " ".join(event.values):
            step = event.first + (event.count - 1) * event.every
            _let_be_written(going.run)
            if step in KILLED and step not in left:
                left[step] = _crash_image(going.run, subject.folder("killed"))
    whole = _outcome(going.job)
    for step, run in left.items():
        if far := unlike(whole, _resumed(subject, run)):
            seen = f"killed after step {step} of {STEPS} and resumed, it ends otherwise: {listed(far)}"
            yield Finding(seen, "the same weights and state, bit for bit", f"step {step}")


def _crash_image(run: RunFolder, workspace: Path) -> RunFolder:
    """What lies on the disk at this instant, elsewhere."""
    found = workspace / "runs" / run.id
    # What is still being written may go away meanwhile, as it may be half there after a kill.
    shutil.copytree(run.path, found, ignore=lambda folder, names: [n for n in names if n.startswith(".")])
    return RunFolder(found)


def _let_be_written(run: RunFolder) -> None:
    """A checkpoint is written beside the training: in so small a run all steps go by meanwhile, and a resume would
    begin anew."""
    time.sleep(0.01)  # until it has begun
    until = time.monotonic() + PATIENCE
    while any(run.checkpoints.glob(".*")) and time.monotonic() < until:
        time.sleep(0.002)


def _change_rate(run: RunFolder, job: Job) -> None:
    """An order that a resume must carry out again at its step."""
    if "trainer.lr" in job.trainer.changeable():
        commands.append(
            run.commands, "set", "trainer.lr", job.trainer.config.model_dump()["lr"] * 0.5, by="check-plugin"
        )


def _outcome(job: Job) -> dict[str, Tensor]:
    return {**learned(job), **named_tensors(job.trainer.state(), "trainer")}


def _resumed(subject: Subject, run: RunFolder) -> dict[str, Tensor]:
    with offline_data(subject.catalog, subject.scratch) as context:
        again = resume(subject.catalog, run, context, data=shared_data(subject.experiment()))
    return _outcome(run_to_end(again))


RULE = Rule(
    name="engine-resumes-exactly",
    tier="silver",
    kinds=("task", "dataset", "model", "loss", "trainer"),
    title="Killed at any instant and resumed, a run ends with the same weights and optimizer state",
    why="Machines fail. What a resume does not get back (a counter, a moving mean, an order of samples) is lost "
    "silently, and the run is another one from there on.",
    mend="Keep what training changes in parameters and buffers, what a trainer carries in Trainer.state and load; draw "
    "by (seed, epoch, index). Randomness of the model's own comes from torch's generator, which a checkpoint holds.",
    buggy="self.calls += 1  # an attribute: 0 again after a resume",
    corrected='self.register_buffer("calls", torch.zeros((), dtype=torch.int64))',
    check=check,
)
