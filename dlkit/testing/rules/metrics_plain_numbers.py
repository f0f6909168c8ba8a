"""Metrics are finite numbers by bare name, the primary one among them."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from dlkit.components import TaskSpec
from dlkit.data.randomness import forked
from dlkit.testing.finding import Finding
from dlkit.testing.measuring import measured, validation
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject
from dlkit.testing.trying import SEED


def check(subject: Subject) -> Iterator[Finding]:
    job = subject.experiment()
    batch = validation(job)
    metrics = job.task.metrics(job.info)
    with forked(SEED, "measure"), job.trainer.evaluating():
        metrics.update(job.trainer.evaluate(batch), batch)
        own = dict(metrics.compute())
    for name, value in own.items():
        if isinstance(value, bool) or not isinstance(value, (int, float, np.floating)):
            yield Finding(f"{name!r} is a {type(value).__name__}", "a float", name)
        elif not math.isfinite(value):
            yield Finding(f"{name!r} is {value}", "a finite number, or left out where it is undefined", name)
        if name.split("/")[0] in job.data.splits:
            yield Finding(f"a metric is called {name!r}", "its bare name: the engine puts the split before it", name)
    known = {f"val/{name}" for name in measured(job, [batch])}
    spec = subject.spec
    if isinstance(spec, TaskSpec) and spec.metric not in known:
        yield Finding(f"the primary metric is {spec.metric!r}; there are {', '.join(sorted(known))}", "one of these")


RULE = Rule(
    name="metrics-plain-numbers",
    tier="bronze",
    kinds=("task",),
    title="compute returns finite floats by bare name, the task's primary metric among them",
    why="A metric that is not finite fails the run; without the primary one there is no best checkpoint.",
    mend="Return float(…) by name; leave out what is undefined for the data seen (a class that never occurs).",
    buggy="return {'val/accuracy': self.right / self.count}  # a tensor",
    corrected="return {'accuracy': float(self.right) / self.count}",
    check=check,
)
