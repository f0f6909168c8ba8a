"""The primary metric on its way: a line a setting, or a line a value of one option, each the mean over its trials."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dlkit.errors import DAMAGE, UsageError, nearest
from dlkit.runs.courses import Course, MeanCourse, course_of, mean_course
from dlkit.studies.results import Results, Row
from dlkit.studies.scales import grouped
from dlkit.studies.telling import named
from dlkit.studies.waking import run_of
from dlkit.studies.wording import label

MOST_LINES = 6
"""Lines that can be told apart: of more settings, those with the best means."""
MOST_RUNS = 500
"""Logs that are read for them: of more, an equal number of each line's trials."""


class Overlaid(NamedTuple):
    """One line. ``settings`` are the numbers of those that it stands for, ``runs`` how many trials have it."""

    name: str
    settings: Sequence[int]
    runs: int
    course: MeanCourse


class Curves(NamedTuple):
    """``by``: the option that groups trials, empty: the settings themselves. ``left_out``: groups without a line."""

    by: str
    lines: Sequence[Overlaid]
    left_out: int


def curves(found: Results, by: str = "") -> Curves:
    """UsageError: no setting differs in ``by``. What is damaged or gone is left out."""
    key = full_key(found, by) if by else ""
    groups = _groups(found, key)
    shown = list(groups.items())[:MOST_LINES]
    most = max(1, MOST_RUNS // max(1, len(shown)))
    lines = [_line(found, name, rows, most) for name, rows in shown]
    return Curves(key, [line for line in lines if line.runs], len(groups) - len(shown))


def full_key(found: Results, by: str) -> str:
    """The option that somebody means: ``lr`` of ``trainer.lr``, ``model`` of ``model.name``."""
    wanted = by.replace("-", "_")
    there = [key for key in found.keys if wanted in (key, label(key), key.rpartition(".")[2])]
    if len(there) != 1:
        raise UsageError(f"--by {by}: {nearest(by, list(map(label, found.keys)))}: what the settings differ in")
    return there[0]


def _groups(found: Results, key: str) -> dict[str, list[Row]]:
    """Rows by their line's name, the best first; those that lack the option are in none."""
    groups: dict[str, list[Row]] = {}
    rows = [row for row in found.rows if not key or key in row.values]
    names = grouped([row.values[key] for row in rows]) if key else [named(found, row) for row in rows]
    for row, name in zip(rows, names, strict=True):
        groups.setdefault(f"{label(key)} {name}" if key else name or "the only setting", []).append(row)
    return groups


def _line(found: Results, name: str, rows: Sequence[Row], most: int) -> Overlaid:
    every = [trial for row in rows for trial in row.trials]
    trials = every[:: -(-len(every) // most) or 1]  # rows come the best first: the first ones alone would be a choice
    courses: list[Course] = []
    for trial in trials:
        try:
            steps, values = course_of(run_of(found.study, trial), found.question.metric)
        except DAMAGE:
            continue
        if len(steps):
            courses.append((steps, values))
    return Overlaid(name, [row.number for row in rows], len(courses), mean_course(courses))
