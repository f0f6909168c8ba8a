"""What a run's first steps took, kind by kind, and what the rest of them will: numbers alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

from dlkit.engine.device import is_out_of_memory

Tell = Callable[[str], None]


@dataclass
class Timings:
    """Filled while a few steps are taken. Seconds throughout.

    ``marks``: (steps finished, seconds of training) at each look of the loop, the first after its first steps;
    ``done``: how long each evaluation, sampling and so on took; ``stepping``: from the first step's beginning to the
    last checkpoint, ``spent`` of it on other things than steps; ``last``: to write that checkpoint; ``again``: for what
    was done at the end only to be timed once more. ``tell`` hears what is being done. ``lacks_memory``: by the device's
    own words, once it is known.
    """

    tell: Tell = lambda text: None
    stage: str = "building"
    began: float = field(default_factory=time.monotonic)
    marks: list[tuple[int, float]] = field(default_factory=list)
    done: dict[str, list[float]] = field(default_factory=dict)
    stepping: float = 0.0
    spent: float = 0.0
    last: float = 0.0
    again: float = 0.0
    most_memory: int = 0
    lacks_memory: Callable[[BaseException], bool] = is_out_of_memory

    def at(self, stage: str) -> None:
        """What is done from now on: said where it dies of memory."""
        if stage != self.stage:
            self.stage = stage
            self.tell(stage)

    @contextmanager
    def during(self, stage: str) -> Generator[None, None, None]:
        before = self.stage
        self.at(stage)
        yield
        self.at(before)

    def took(self, kind: str, seconds: float) -> None:
        self.done.setdefault(kind, []).append(seconds)

    def total(self, kind: str) -> float:
        return sum(self.done.get(kind, ()))

    def all_of(self, kind: str, times: int) -> float:
        """What so many will take. The first has costs of its own (pages, caches), the others are taken to be alike."""
        # Their mean, not their least: pages, other processes and the checkpoint's thread are in the run's, too.
        found = self.done.get(kind, [])
        if not found or not times:
            return 0.0
        first, others = found[0], found[1:] or found
        return first + (times - 1) * sum(others) / len(others)

    @property
    def steps(self) -> int:
        return self.marks[-1][0] if self.marks else 0

    @property
    def training(self) -> float:
        return self.marks[-1][1] if self.marks else 0.0

    @property
    def step(self) -> float:
        """One step, once warm: without those up to the first look, where others followed."""
        if not self.steps:
            return 0.0
        (first, early), (last, late) = self.marks[0], self.marks[-1]
        return (late - early) / (last - first) if last > first else late / last

    def train(self, steps: int) -> float:
        """So many steps, the first ones as slow as they were."""
        return self.training + max(0, steps - self.steps) * self.step
