"""How far a run has come: what a checkpoint carries besides tensors."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TypedDict

from dlkit.components import TaskSpec
from dlkit.errors import PluginError
from dlkit.json_types import Json

Mark = tuple[int, int, int, int]


class Reached(TypedDict):
    """How far a run came: part of how it ended, or why it failed."""

    steps: int
    seconds: float
    train_seconds: float
    metrics: dict[str, float]


@dataclass
class Progress:
    """What the loop must remember; one object, which all parts of the loop share.

    ``step`` counts finished optimizer steps. ``best`` is the best primary metric so far, ``stale`` the evaluations
    since. ``evaluated`` and ``sampled`` are the steps that was last done at, -1 before the first time (a checkpoint may
    lie before what was due at its step), ``obeyed`` the ids of the commands that changed settings. ``seconds`` count
    over all resumes, without pauses, up to ``since`` on the monotonic clock.
    """

    best: float | None = None
    best_step: int = 0
    stale: int = 0
    best_metrics: dict[str, float] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    train_seconds: float = 0.0
    evaluated: int = -1
    sampled: int = -1
    obeyed: list[str] = field(default_factory=list)
    # Neither is saved: the step is in the manifest, and the monotonic clock means nothing to another process.
    step: int = 0
    since: float = field(default_factory=time.monotonic)

    @property
    def is_best(self) -> bool:
        """Whether the weights as they are now are the best so far: an evaluation at this very step said so."""
        return self.best is not None and self.best_step == self.step

    @property
    def mark(self) -> Mark:
        """Changes with everything that a checkpoint holds: under the same mark, a second one would hold the same."""
        return self.step, self.evaluated, self.sampled, len(self.obeyed)

    def judge(self, metric: str, direction: str, values: Mapping[str, float]) -> None:
        """Take an evaluation in: the best so far, or one more since the best."""
        value, best = values[metric], self.best
        # Strictly: of equal ones the earlier is kept, so that a metric which stands still runs out of patience.
        if best is None or (value < best if direction == "min" else value > best):
            self.best, self.best_step, self.stale = value, self.step, 0
            self.best_metrics = dict(values)
        else:
            self.stale += 1

    def take_in(self, values: Mapping[str, float], task: TaskSpec, patience: int) -> str:
        """Judge an evaluation by the task's metric (without it: PluginError); why it is time to give up, or nothing.

        ``patience``: so many evaluations without a better one are enough; 0: no number is.
        """
        if task.metric not in values:
            raise PluginError(f"task {task.name!r}: metrics() gave no {task.metric!r}; it gave: {', '.join(values)}")
        self.judge(task.metric, task.direction, values)
        given_up = patience and self.stale >= patience
        return f"early stopping: no better {task.metric} in {self.stale} evaluations" if given_up else ""

    def seconds_at(self, now: float) -> float:
        """Seconds that the run has taken when the monotonic clock says ``now``."""
        return self.seconds + now - self.since

    def exclude(self, seconds: float) -> None:
        """The last seconds were a pause: they count for nothing."""
        self.since += seconds

    def reached(self, metrics: Mapping[str, float]) -> Reached:
        """How far it is now, for those who are told of the run's end."""
        self._count_time()
        return {
            "steps": self.step,
            "seconds": round(self.seconds, 3),
            "train_seconds": round(self.train_seconds, 3),
            "metrics": dict(metrics),
        }

    def saved(self) -> dict[str, object]:
        """As a checkpoint holds it: JSON values."""
        self._count_time()
        return {name: getattr(self, name) for name in _SAVED}

    def restore(self, saved: Mapping[str, Json], step: int) -> None:
        """As it was at a checkpoint of ``step``; in place, because all parts of the loop hold this object."""
        # Checkpoints of before these two were kept lie behind what was due at their step.
        self.step = self.evaluated = self.sampled = step
        for name in _SAVED:
            if saved.get(name) is not None:
                setattr(self, name, saved[name])

    def branch(self, *, judged: bool) -> None:
        """Begin a fork: its time is its own. What was best counts on where it is ``judged`` by the same data."""
        self.seconds = self.train_seconds = 0.0
        self.since = time.monotonic()
        if not judged:
            self.best, self.best_step, self.stale, self.best_metrics = None, 0, 0, {}

    def _count_time(self) -> None:
        now = time.monotonic()
        self.seconds, self.since = self.seconds_at(now), now


_SAVED = tuple(item.name for item in fields(Progress) if item.name not in ("step", "since"))
