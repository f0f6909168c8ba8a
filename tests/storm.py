"""Urgent jobs at random instants over long ones, with kills in between; what came of each, and how soon."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import kills
from dlkit.catalog import Catalog
from dlkit.config import Layer, resolve
from dlkit.errors import RunError
from dlkit.events import Checkpointed, Commanded, Started
from dlkit.jobs.job_record import Submission
from dlkit.jobs.queue import cancel, scheduler, wake
from dlkit.jobs.shares import set_cpu_slots
from dlkit.jobs.submit import resubmit, submit
from dlkit.runs.folder import RunFolder
from queues import starts
from workers import all_events, state

PATIENCE = 400.0
SLOTS = 2


def recipe(launcher: Mapping[str, str], wait: float, epochs: int = 30) -> dict[str, Any]:
    """A long job; ``wait`` is the seconds that it spends on each batch, which change nothing of what comes of it."""
    toy = kills.RECIPES["toy"]
    loss = {"name": "troubled", "wait": wait}
    return {**toy, "launcher": dict(launcher), "loss": loss, "engine": {**toy["engine"], "epochs": epochs}}


BATCHES = 360
"""Of a long job."""


def lasting(pace: float, longs: int, urgents: int) -> float:
    """Seconds for each batch of the long jobs with which they last as long as the storm, or nearly."""
    return max(0.01, 2 * urgents * pace / (longs * BATCHES))


@dataclass
class Storm:
    """``run(count)`` sends so many urgent jobs; every seventh is cancelled at once, every third brings a kill.

    ``pace`` is how many seconds one takes on this machine now: so far apart they come at most.
    """

    workspace: Path
    launcher: Mapping[str, str]
    seed: int
    pace: float
    longs: Sequence[RunFolder] = ()
    urgents: list[RunFolder] = field(default_factory=list)
    cancelled: int = 0
    kills: dict[str, int] = field(default_factory=dict)

    def run(self, count: int) -> None:
        self._random = random.Random(self.seed)
        set_cpu_slots(self.workspace, SLOTS)
        self._keep_going()
        for number in range(count):
            time.sleep(self._random.uniform(0.0, self.pace))
            self.urgents.append(self._urgent())
            self._keep_going()
            if number % 7 == 6:
                with suppress(RunError):  # it has begun: then it counts with the others
                    cancel(self.urgents[-1])
                    self.cancelled += 1
                    self.urgents.pop()
            if number % 3 == 2:
                time.sleep(self._random.uniform(0.0, self.pace / 2))
                self._kill()
                self._keep_going()
        deadline = time.monotonic() + PATIENCE
        while not self._is_over():
            assert time.monotonic() < deadline, {run.id: state(run) for run in (*self.longs, *self.urgents)}
            self._keep_going()
            time.sleep(0.1)

    def _is_over(self) -> bool:
        found = {run.id: state(run) for run in (*self.longs, *self.urgents)}
        assert not {"failed", "stopped"} & {*found.values()}, found
        return {*found.values()} == {"completed"}

    def _urgent(self) -> RunFolder:
        catalog = Catalog.load_everything()
        engine = {"device": "cpu", "threads": 1, "epochs": 1, "sample_every": "never"}
        resolved = resolve(catalog, "toy", [Layer("test", {"launcher": dict(self.launcher), "engine": engine})])
        return submit(catalog, resolved, self.workspace, Submission(True, urgent=True))

    def _kill(self) -> None:
        """A scheduler, or the supervisor or the process that trains of a long job."""
        which = self._random.choice(("schedules", "supervises", "trains", "trains"))
        key = "pid" if which == "trains" else "worker"
        process = scheduler(self.workspace) if which == "schedules" else self._of_a_long(key)
        if process is None:
            return
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
            self.kills[which] = self.kills.get(which, 0) + 1

    def _of_a_long(self, key: str) -> int | None:
        records = [run.read() for run in self.longs if state(run) == "running"]
        found = [int(record[key]) for record in records if record.get(key)]  # type: ignore[literal-required]
        return self._random.choice(found) if found else None

    def _keep_going(self) -> None:
        """What was killed while it did not give way waits for a person, who is this."""
        for run in self.longs:
            if state(run) == "interrupted":
                with suppress(RunError):
                    resubmit(Catalog.load_everything(), run, Submission(queued=True))
        wake(self.workspace)

    def latencies(self) -> list[float]:
        """Seconds from the checkpoint of the last victim until the urgent job trained, of those that had one alone."""
        found = []
        for urgent in self.urgents:
            left = [moment for run in self.longs if (moment := _left_for(run, urgent.id)) is not None]
            began = next(event.time for event in all_events(urgent) if isinstance(event, Started))
            found += [began - left[0]] if len(left) == 1 and began > left[0] else []
        return found

    def check(self, expected: kills.Outcome) -> None:
        """Nothing is lost, and each job came once."""
        assert [kills.outcome(run) == expected for run in self.longs] == [True] * len(self.longs)
        assert [starts(run) for run in self.urgents] == [1] * len(self.urgents)


def _left_for(run: RunFolder, urgent: str) -> float | None:
    """When a run had written its checkpoint in order to give way to another; None: it never did."""
    moment, asked = None, False
    for event in all_events(run):
        if isinstance(event, Commanded) and event.action == "release":
            asked = isinstance(event.value, dict) and event.value.get("to") == urgent
        elif asked and isinstance(event, Checkpointed):
            moment = event.time
        elif isinstance(event, Started) or event.event == "resumed":
            asked = False
    return moment
