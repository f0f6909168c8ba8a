"""A class of which nothing is recognised, while others are."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from dlkit.diagnose import mending
from dlkit.diagnose.record import Record
from dlkit.diagnose.verdict import Mend, Seen, Verdict
from dlkit.present.numbers import counted, number

_RECALL = re.compile(r"val/(?:accuracy|recall)/(?P<name>.+)", re.DOTALL)
"""Of the samples of a class, the share that is recognised: ``accuracy/NAME`` is that, where it is of a class."""
TIMES = 3
"""Evaluations in a row; of a run that has fewer, all of them, two at least: early ones tell of the first classes
alone."""
OTHERS = 0.3
"""Mean recall of the others. Where that is less, it is not one class that is ignored: nothing is learned yet."""


def class_ignored(record: Record) -> Iterator[Verdict]:
    """Recall 0 at the last evaluations, where the other classes are recognised."""
    courses = {
        found["name"]: course
        for name in record.names
        if (found := _RECALL.fullmatch(name)) and len((course := record.course(name).finite).values)
    }
    if len(courses) < 2:
        return
    ignored = {
        name: course for name, course in courses.items()
        if len(course.values) >= 2 and not course.values[-TIMES:].any()
    }  # fmt: skip
    others = [float(course.values[-1]) for name, course in courses.items() if name not in ignored]
    if not ignored or not others or np.mean(others) < OTHERS or len(ignored) > len(others):
        return
    names = ", ".join(repr(name) for name in ignored)
    mean = float(np.mean(others))
    text = f"{counted(len(ignored), 'class', 'classes')} ignored: nothing of {names} is recognised"
    evidence = []
    for name, course in ignored.items():
        times, step = min(TIMES, len(course.values)), int(course.steps[-1])
        said = f"val/precision/{name}"
        never = " and it was never answered" if said not in record.names and _has_precision(record) else ""
        evidence.append(Seen(f"{name}: recall 0 at each of the last {times} evaluations{never}", step, {"recall": 0.0}))
    evidence.append(Seen(f"the others: {number(mean)} in the mean", figures={"others": mean}))
    mends = (
        mending.shown(record, "how many of it there are, and whether they look like it"),
        Mend(f"show {record.run.id} --samples", "what it is taken for"),
    )
    yield Verdict("class-ignored", "quality", "bad", text, tuple(evidence), mends)


def _has_precision(record: Record) -> bool:
    return any(name.startswith("val/precision/") for name in record.names)
