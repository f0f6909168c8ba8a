"""All that a verdict may look at: what lies on record of one run, read once."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from dlkit.events import Commanded, Event, Finished, Machine, MetricsLogged, Sampled, Started
from dlkit.json_types import Json, Settings
from dlkit.runs.checkpoints import choose, complete
from dlkit.runs.contents import load_sample, stored_sections
from dlkit.runs.folder import RunFolder, current_state
from dlkit.runs.log import read_events
from dlkit.runs.run_record import RunRecord
from dlkit.samples import Sample

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
E = TypeVar("E", bound=Event)
LIVE = ("running", "paused")
RECENT, OLDER = 50, 150
"""Looks into the layers that are read, each a file: the last, and so many from all over the time before."""
LARGEST = 1e15
"""Of numbers that anybody may have written into a file: no rate, size or count that is meant is larger."""


class Course(NamedTuple):
    """One metric: ``steps`` ascending, ``values`` as many."""

    steps: Integers
    values: Floats

    @property
    def finite(self) -> Course:
        known = np.isfinite(self.values)
        return self if known.all() else Course(self.steps[known], self.values[known])

    def until(self, step: int) -> Course:
        """Up to and with that step."""
        count = int(np.searchsorted(self.steps, step, side="right"))
        return Course(self.steps[:count], self.values[:count])


NOTHING = Course(np.empty(0, np.int64), np.empty(0))


@dataclass(frozen=True)
class Record:
    """``state`` is what is true now. ``events`` are what holds of the log but for metrics; ``course`` gives a metric's,
    by full name, and ``names`` which there are. ``sample`` reads a stored one, and raises what a damaged file makes it.
    """

    run: RunFolder
    state: str
    record: RunRecord
    config: Mapping[str, Settings]
    events: Sequence[Event]
    names: Sequence[str]
    course: Callable[[str], Course]
    checkpoints: Sequence[int]
    best_checkpoint: int | None
    sample: Callable[[str], Sample]

    def of(self, kind: type[E]) -> list[E]:
        """Events of one kind, oldest first."""
        return [event for event in self.events if isinstance(event, kind)]

    def option(self, key: str) -> object:
        """By full key, as it is now: as config.toml has it, or as it was ``set`` since; None: there is none."""
        section, _, name = key.partition(".")
        for event in reversed(self.changes):
            if event.key == key:
                return event.value
        return self.config.get(section, {}).get(name)

    def number(self, key: str) -> float | None:
        """An option that is a number, and may be meant: None of one that is not finite."""
        value = self.option(key)
        known = isinstance(value, (int, float)) and not isinstance(value, bool) and -LARGEST <= value <= LARGEST
        return float(value) if known else None  # type: ignore[arg-type]

    @cached_property
    def changes(self) -> list[Commanded]:
        """What was set while it trained."""
        return [event for event in self.of(Commanded) if event.action == "set" and not event.refused]

    @cached_property
    def finished(self) -> Finished | None:
        found = self.of(Finished)
        return found[-1] if found else None

    @property
    def cause(self) -> Mapping[str, Json]:
        return self.finished.cause if self.finished is not None else {}

    def counted(self, name: str) -> int | None:
        """What the cause has by that name, where it is a count of something."""
        value = self.cause.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST else None

    @property
    def reason(self) -> str:
        told = self.record.get("reason") or ""
        return self.finished.reason if self.finished is not None and self.finished.reason else told

    @property
    def is_live(self) -> bool:
        return self.state in LIVE

    @property
    def task(self) -> str:
        return self.record.get("task", "")

    @property
    def metric(self) -> str:
        """The primary one."""
        return self.record.get("metric", "")

    @property
    def rises(self) -> bool:
        """Whether more of the primary metric is better."""
        return self.record.get("direction") == "max"

    @cached_property
    def step(self) -> int:
        """The last that is on record."""
        reached = [int(self.course(name).steps[-1]) for name in self.names if len(self.course(name).steps)]
        return max([self.finished.steps if self.finished is not None else 0, *reached])

    @property
    def total_steps(self) -> int:
        return self.record.get("total_steps", 0)

    def epoch(self, step: int) -> int:
        """In which epoch a step lies, from 1; 0 where that is not known. After the first, epochs are as long as it."""
        began = self.of(Started)
        length = began[0].epoch_steps if began else 0
        return math.ceil(step / length) if length and step else 0

    def at(self, step: int) -> str:
        """``epoch 3 (step 120)``."""
        epoch = self.epoch(step)
        return f"epoch {epoch} (step {step})" if epoch else f"step {step}"

    @cached_property
    def machine(self) -> Machine | None:
        """What it last used of the machine."""
        found = self.of(Machine)
        return found[-1] if found else None

    @cached_property
    def layers(self) -> list[tuple[int, Sample]]:
        """Stored tables of layers that can be read, with their steps, oldest first: several rules look at them."""
        files = [(event.step, ref.file) for event in self.of(Sampled) for ref in event.samples if ref.name == "layers"]
        older, recent = files[:-RECENT], files[-RECENT:]
        found = []
        for step, file in [*older[:: 1 + len(older) // OLDER], *recent]:
            with suppress(OSError, ValueError, KeyError, TypeError):  # a damaged one is no evidence
                found.append((step, self.sample(file)))
        return found


def read_record(run: RunFolder, events: Sequence[Event] | None = None) -> Record:
    """From the folder; ``events`` where somebody has read the log already. What is damaged is left out."""
    if events is None:
        try:
            events = read_events(run.events)
        except (OSError, ValueError):
            events = []
    try:
        record = run.read()
        state = current_state(run, record)
    except (OSError, ValueError):
        record, state = {}, "damaged"
    courses, (steps, best) = courses_of(events), checkpoints_of(run)
    return Record(
        run=run,
        state=state,
        record=record,
        config=stored_sections(run),
        events=[event for event in events if not isinstance(event, MetricsLogged)],
        names=tuple(courses),
        course=lambda name: courses.get(name, NOTHING),
        checkpoints=steps,
        best_checkpoint=best,
        sample=lambda file: load_sample(run, file),
    )


def checkpoints_of(run: RunFolder) -> tuple[Sequence[int], int | None]:
    """The steps of those that are complete, and of the best."""
    try:
        found = complete(run.path)
        best = choose(run.path, "best").step if found else None
    except (OSError, ValueError):
        found, best = [], None
    return tuple(checkpoint.step for checkpoint in found), best


def courses_of(events: Sequence[Event]) -> dict[str, Course]:
    """Every metric's course, by name."""
    steps: dict[str, list[int]] = {}
    values: dict[str, list[float]] = {}
    for event in events:
        if isinstance(event, MetricsLogged):
            for name, column in event.values.items():
                steps.setdefault(name, []).extend(event.steps)
                values.setdefault(name, []).extend(column)
    return {name: Course(np.array(steps[name], np.int64), np.array(values[name], np.float64)) for name in steps}
