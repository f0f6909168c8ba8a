"""A few steps recorded by torch.profiler (``engine.profile``): which operators they consist of, and what each takes.

The steps are the trainer's own, seen through torch's own hooks: the same weights come of them, bit for bit.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TypeAlias

import torch
from torch import profiler

from dlkit.data.splits import Batch
from dlkit.engine.build import Job
from dlkit.engine.journal import Journal
from dlkit.engine.trainer import Values
from dlkit.json_types import JsonObject
from dlkit.present.commands import to_type
from dlkit.runs import opening
from dlkit.runs.folder import RunFolder
from dlkit.runs.profile import NAME, OPERATORS, SHAPES, STEP, TRACE

WARM_UP = 3
"""Steps before the first that is recorded: memory is found, kernels are chosen and compiled in them."""
Step: TypeAlias = Callable[[Sequence[Batch], int], Values]


@contextmanager
def profiling(job: Job, run: RunFolder, journal: Journal) -> Iterator[Callable[[Step], Step]]:
    """What turns a trainer's step into one that is recorded at its time, once a run; the step itself where none is."""
    count, wanted = job.resolved.engine.profile, job.world.rank_zero
    if not count or not wanted or opening.status(run.path, NAME) is not None:
        yield lambda step: step
        return
    kept = Profiler(job, run, journal)
    try:
        yield kept.around
    finally:
        kept.close()


class Profiler:
    """Takes the steps of ``around``; those that are recorded end in profile.json and a trace in the run's folder."""

    def __init__(self, job: Job, run: RunFolder, journal: Journal) -> None:
        self._job, self._run, self._journal = job, run, journal
        self._left, self._warming = job.resolved.engine.profile, WARM_UP
        self._recording: profiler.profile | None = None
        self._first = self._taken = 0
        self._began = 0.0

    def around(self, step: Step) -> Step:
        self._take = step
        return self.step

    def step(self, batches: Sequence[Batch], step: int) -> Values:
        """``Trainer.step``."""
        if not self._left:
            return self._take(batches, step)
        # A run that is no longer than that has all of its steps recorded.
        if self._warming and step + self._left < self._job.course.total:
            self._warming -= 1
            return self._take(batches, step)
        if self._recording is None and not self._begin(step):
            return self._take(batches, step)
        with profiler.record_function(STEP):
            values = self._take(batches, step)
        self._left -= 1
        self._taken += 1
        if not self._left:
            self.close()
        return values

    def close(self) -> None:
        """Write down what was recorded: all, or what there was before the run ended."""
        recording, self._recording, self._left = self._recording, None, 0
        if recording is None:
            return
        try:
            self._job.placement.device.synchronize()
            seconds = time.monotonic() - self._began
            recording.stop()
            if self._taken:
                self._write(recording, seconds)
        # The profiler's boundary: whatever it, or a full disk, raises, the run goes on without a profile.
        except Exception as error:
            self._journal.say(f"the profile could not be written: {error}")

    def _begin(self, step: int) -> bool:
        device = self._job.placement.device
        os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # read when it starts: it tells of that, and of missing GPUs
        there = profiler.supported_activities()  # type: ignore[no-untyped-call]
        activities = [a for a in (getattr(profiler.ProfilerActivity, name) for name in device.activities) if a in there]
        try:
            device.synchronize()
            recording = profiler.profile(activities=activities, record_shapes=True)
            recording.start()
        # The profiler's boundary, as above.
        except Exception as error:
            self._left = 0
            self._journal.say(f"steps cannot be profiled here: {error}")
            return False
        self._left = min(self._left, self._job.course.total - step)
        self._recording, self._first, self._began = recording, step + 1, time.monotonic()
        return True

    def _write(self, recording: profiler.profile, seconds: float) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, TRACE)
            recording.export_chrome_trace(str(path))
            opening.write(self._run.path, TRACE, path.read_bytes())
        averages: Sequence[Averages] = recording.key_averages(group_by_input_shape=True)
        rows = [_row(event) for event in sorted(averages, key=_self_time, reverse=True)]
        record = {
            "format": 1,
            "first": self._first,
            "steps": self._taken,
            "seconds": round(seconds, 6),
            "device": self._job.placement.name,
            "torch": str(torch.__version__),
            "left_out": max(0, len(rows) - OPERATORS),
            "operators": rows[:OPERATORS],
        }
        opening.write(self._run.path, NAME, json.dumps(record, allow_nan=False).encode())
        last, typed = self._first + self._taken - 1, to_type(self._run, f"show {self._run.id} --profile")
        self._journal.say(f"steps {self._first} to {last} are profiled: {typed} has them")


class Averages(Protocol):
    """An entry of torch's averages; times in µs."""

    key: str
    count: int
    input_shapes: object
    self_cpu_time_total: float
    cpu_time_total: float
    self_device_time_total: float
    device_time_total: float


def _row(event: Averages) -> JsonObject:
    """An entry of torch's averages: seconds, of the processor and of the device, without and with what it calls."""
    shapes = str(event.input_shapes) if event.input_shapes else ""
    return {
        "name": str(event.key)[:SHAPES],
        "calls": int(event.count),
        "self_cpu": event.self_cpu_time_total / 1e6,
        "cpu": event.cpu_time_total / 1e6,
        "self_device": event.self_device_time_total / 1e6,
        "device": event.device_time_total / 1e6,
        "shapes": shapes if len(shapes) <= SHAPES else f"{shapes[: SHAPES - 1]}…",
    }


def _self_time(event: Averages) -> float:
    return event.self_cpu_time_total + event.self_device_time_total
