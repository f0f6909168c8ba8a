"""A run's evaluations as rows: at which steps, and what was measured there."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dlkit.diagnose.curves import between
from dlkit.diagnose.record import NOTHING, Course, Floats, Integers, Record


class Evaluations(NamedTuple):
    """At ``steps``: the loss of training (mean since the one before; nan where there is none) and of validation."""

    steps: Integers
    train: Floats
    val: Floats


def losses(record: Record) -> Evaluations:
    """Of evaluations at which the validation loss was measured."""
    val, train = record.course("val/loss").finite, record.course("train/loss").finite
    return Evaluations(val.steps, between(train, val.steps), val.values)


def better(record: Record) -> Course:
    """The primary metric, turned so that more is better; without what is not finite."""
    if not record.metric:
        return NOTHING
    course = record.course(record.metric).finite
    return course if record.rises else Course(course.steps, -course.values)


def is_perfect(record: Record, course: Course) -> bool:
    """Whether nothing is left to be gained: a share of all, an error of none."""
    return bool(len(course.values)) and float(course.values.max()) == (1.0 if record.rises else 0.0)


def every(record: Record) -> str:
    """How one has a run evaluated more often, as a flag."""
    return f"--engine.eval_every '{max(1, record.total_steps // 20)} steps'"


def last_of(values: Floats, count: int) -> float:
    """The mean of the last few."""
    return float(np.mean(values[-count:]))
