"""kill -9, spread over the processes of a queue: those that train, their supervisors, the scheduler.

``attack`` queues jobs, kills a process again and again, at random instants or at a labelled point, has what was
interrupted go on, and compares what came of each job with what an undisturbed run of the same options gives.
"""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from dlkit.catalog import Catalog
from dlkit.config import Layer, resolve
from dlkit.errors import RunError
from dlkit.events import Finished, MetricsLogged, Started
from dlkit.jobs.job_record import Submission
from dlkit.jobs.queue import scheduler, wake
from dlkit.jobs.queue_state import QueueState
from dlkit.jobs.submit import resubmit, submit
from dlkit.runs.checkpoints import choose, complete
from dlkit.runs.faults import LABELS
from dlkit.runs.folder import RunFolder, current_state, summarise
from dlkit.runs.lock import holder
from dlkit.runs.log import parse_lines, read_events

PATIENCE = 120.0
TARGETS = {"trains": 4, "supervises": 3, "schedules": 1, "labelled": 3}
"""Whom to kill, and how often; a labelled kill takes a scheduler or two with it."""
ENGINE: dict[str, Any] = {"device": "cpu", "checkpoint_every": 0.05, "threads": 1}
RECIPES: dict[str, dict[str, Any]] = {
    "toy": {
        "task": "toy",
        "dataset": {"name": "plane", "points": 192, "jitter": 0.2},
        "model": {"name": "mlp", "dropout": 0.2},
        "loss": {"name": "troubled", "wait": 0.003},
        "trainer": {"optimizer": "adamw", "lr": 0.01, "schedule": "cosine"},
        "engine": {**ENGINE, "epochs": 30, "accumulate": 2, "ema": 0.9, "eval_every": "5 steps", "probe_every": 3},
    },
    "regression": {
        "task": "regression",
        "model": {"name": "mlp", "dropout": 0.1},
        "engine": {**ENGINE, "epochs": 150, "batch_size": 16, "accumulate": 2, "eval_every": "7 epochs"},
    },
    "classification": {
        "task": "classification",
        "model": {"name": "mlp", "dropout": 0.2},
        "engine": {**ENGINE, "epochs": 8, "batch_size": 32, "accumulate": 2},
    },
    "scratch": {
        "task": "regression",
        "model": {"name": "scratch-mlp", "dropout": 0.1},
        "engine": {**ENGINE, "epochs": 400, "batch_size": 16, "accumulate": 2, "eval_every": "20 epochs"},
    },
}
"""Jobs of each plugin, of about a second: dropout, augmentation, accumulation and averages where it has them."""
Recipe = Mapping[str, Any]
Outcome = tuple[str, str, dict[tuple[str, int], float]]


@dataclass
class Tally:
    """What was done, and to whom."""

    kills: dict[str, int] = field(default_factory=dict)
    labels: dict[str, int] = field(default_factory=dict)
    jobs: int = 0
    resumes: int = 0

    @property
    def total(self) -> int:
        return sum(self.kills.values())

    def count(self, target: str, label: str = "") -> None:
        self.kills[target] = self.kills.get(target, 0) + 1
        if label:
            self.labels[label] = self.labels.get(label, 0) + 1


def outcome(run: RunFolder) -> Outcome:
    """Weights, everything else in the last checkpoint, and every metric's value at every step, each recorded once."""
    last = choose(run.path, "last")
    values: dict[tuple[str, int], float] = {}
    for event in read_events(run.events):
        if isinstance(event, MetricsLogged):
            for name in event.values:
                for step, value in event.points(name):
                    key = name, step
                    assert key not in values, f"{run.id}: {key} is recorded twice"
                    values[key] = value
    assert last.problems() == []
    return last.sha256, str(last.manifest.files["state.safetensors"]["sha256"]), values


def hand_in(workspace: Path, recipe: Recipe, name: str = "") -> RunFolder:
    """Queue a job."""
    catalog = Catalog.load_everything()
    resolved = resolve(catalog, recipe["task"], [Layer("test", {k: v for k, v in recipe.items() if k != "task"})])
    return submit(catalog, resolved, workspace, Submission(queued=True), name=name)


@contextmanager
def fault(label: str, count: int) -> Iterator[None]:
    """Processes that are started meanwhile die at a labelled point."""
    os.environ["DLKIT_FAULT"] = f"{label}:{count}"
    try:
        yield
    finally:
        del os.environ["DLKIT_FAULT"]


class Attack:
    """One workspace under fire, until ``kills`` processes have been killed and every job is completed."""

    def __init__(self, workspace: Path, recipes: Sequence[Recipe], references: Sequence[Outcome], seed: int) -> None:
        self.workspace, self._recipes, self._references = workspace, recipes, references
        self._random = random.Random(seed)
        self.tally = Tally()
        self._queue = QueueState(workspace)
        self._jobs: dict[str, int] = {}

    def run(self, kills: int, at_once: int) -> Tally:
        while self._more(kills) or self._jobs:
            while self._more(kills) and len(self._jobs) < at_once:
                which = self._random.randrange(len(self._recipes))
                self._jobs[hand_in(self.workspace, self._recipes[which]).id] = which
                self.tally.jobs += 1
            if self._more(kills):
                self._kill_one()
            else:
                self._keep_going()
                time.sleep(0.05)
            self._collect()
        return self.tally

    def _more(self, kills: int) -> bool:
        """Whether enough were killed, and some of those that matter most: a short job is hard to hit."""
        return self.tally.total < kills or not {"trains", "labelled"} <= self.tally.kills.keys()

    def _kill_one(self) -> None:
        target = self._random.choices(list(TARGETS), list(TARGETS.values()))[0]
        if target == "labelled":
            self._kill_at_a_label()
            return
        self._keep_going()
        time.sleep(self._random.uniform(0.0, 0.5))
        process = {"trains": self._trainer, "supervises": self._supervisor, "schedules": self._scheduler}[target]()
        if process is not None:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                return
            self.tally.count(target)
            self._await_death(process)

    def _kill_at_a_label(self) -> None:
        """The next scheduler, and what it starts, carries the label; the first of them to pass it dies."""
        label = self._random.choice(LABELS)
        process = scheduler(self.workspace)
        if process is not None:  # the label is inherited by those that are started from now on
            os.kill(process, signal.SIGKILL)
            self.tally.count("schedules")
            self._await_death(process)
        self._resume_interrupted()
        with fault(label, self._random.randint(1, 4)):
            wake(self.workspace)
        before = self._alive()
        deadline = time.monotonic() + self._random.uniform(0.3, 1.5)
        while time.monotonic() < deadline:
            time.sleep(0.02)
            if gone := before - self._alive():
                if any(self._died_at_label(name) for name in gone):
                    break
            before |= self._alive()
        if self._some_were_killed():
            self.tally.count("labelled", label)
        self._end_carriers()

    def _end_carriers(self) -> None:
        """Kill the schedulers that carry a label, wherever they are in their start: all that they start would die at
        it, again and again. A worker that carries one hands it on when it ends."""
        place = str(self.workspace.resolve())
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                words = process.cmdline()
                if "dlkit.jobs.scheduler" in words and place in words and "DLKIT_FAULT" in process.environ():
                    process.kill()
                    self.tally.count("schedules")
                    self._await_death(process.pid)

    def _died_at_label(self, name: str) -> bool:
        return self._state(name) == "interrupted"

    def _some_were_killed(self) -> bool:
        return any(self._state(name) == "interrupted" for name in self._jobs) or scheduler(self.workspace) is None

    def _alive(self) -> set[str]:
        return {name for name in self._jobs if holder(self._run(name).lock) is not None}

    def _run(self, name: str) -> RunFolder:
        return RunFolder(self.workspace / "runs" / name)

    def _state(self, name: str) -> str:
        run = self._run(name)
        return current_state(run, run.read())

    def _trainer(self) -> int | None:
        return self._field("pid")

    def _supervisor(self) -> int | None:
        return self._field("worker")

    def _scheduler(self) -> int | None:
        return scheduler(self.workspace)

    def _field(self, key: str) -> int | None:
        records = [self._run(name).read() for name in sorted(self._jobs) if self._state(name) == "running"]
        found = [int(record[key]) for record in records if record.get(key)]
        return self._random.choice(found) if found else None

    def _await_death(self, process: int) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
            except (OSError, IndexError):
                return
            if state == "Z":
                return
            time.sleep(0.002)
        raise AssertionError(f"process {process} outlived kill -9")

    def _keep_going(self) -> None:
        self._end_carriers()
        self._resume_interrupted()
        wake(self.workspace)

    def _resume_interrupted(self) -> None:
        catalog = None
        for name in list(self._jobs):
            self._check_readable(self._run(name))
            if self._state(name) == "interrupted":
                catalog = catalog or Catalog.load_everything()
                try:
                    resubmit(catalog, self._run(name), Submission(queued=True))
                    self.tally.resumes += 1
                except RunError:  # a worker that was one too many looks at it just now
                    continue

    def _check_readable(self, run: RunFolder) -> None:
        """Whatever the instant of a kill, everything that reads a run can read this one."""
        found = summarise(run)
        assert not found.state.startswith("damaged"), found
        assert found.state != "failed", f"{run.id}: {found.reason}"
        read_events(run.events)
        for checkpoint in complete(run.path):
            assert checkpoint.manifest.files

    def _collect(self) -> None:
        """Compare what is completed, and make room."""
        for name, which in list(self._jobs.items()):
            run = self._run(name)
            if self._state(name) == "completed" and holder(run.lock) is None:
                check(run, self._references[which])
                del self._jobs[name]


def check(run: RunFolder, reference: Outcome) -> None:
    """The job ended as if nothing had happened, once, and its log has every line once."""
    assert outcome(run) == reference, f"{run.id} ended differently"
    raw = run.events.read_bytes()
    assert raw.endswith(b"\n")
    events = list(parse_lines(raw.splitlines(keepends=True)))
    numbers = [json.loads(line)["seq"] for line in raw.splitlines()]
    assert numbers == list(range(len(numbers))), f"{run.id}: events are lost or doubled: {numbers}"
    assert sum(isinstance(event, Started) for event in events) <= 1, f"{run.id} was started twice"
    ends = [event for event in read_events(run.events) if isinstance(event, Finished)]
    assert len(ends) == 1, f"{run.id} ended more than once"  # one that was killed with run.json unwritten does it again
    assert not list(run.checkpoints.glob(".*")), "something unfinished is left"


def reference(workspace: Path, recipe: Recipe) -> Outcome:
    """What an undisturbed job gives."""
    run = hand_in(workspace, recipe)
    wake(workspace)
    deadline = time.monotonic() + PATIENCE
    while current_state(run, run.read()) != "completed":
        state = summarise(run)
        assert time.monotonic() < deadline and state.state != "failed", state
        time.sleep(0.05)
    return outcome(run)
