"""What lists say of a run, in as few cells as can be."""

from __future__ import annotations

import math
from collections.abc import Sequence

from dlkit.present.numbers import duration, number
from dlkit.runs.folder import Summary


def titled(run: Summary) -> str:
    """``NAME (ID)``, or the id: a run where there is a sentence for it."""
    return f"{run.name} ({run.id})" if run.name else run.id


def undated(identity: str) -> str:
    """A run's id without the date and time that it begins with: its task, its model, and the end that is its own."""
    return identity.partition("-")[2].partition("-")[2] or identity


def steps(run: Summary) -> str:
    """``120/900``, or ``900`` at the end; in at most eleven cells up to a million steps: ``92079/900k``."""
    if run.total_steps and run.step != run.total_steps:
        step, total = str(run.step), str(run.total_steps)
        if len(step) + len(total) > 10 and run.total_steps >= 10_000:
            total = f"{run.total_steps // 1000}k"
        return f"{step}/{total}"
    return str(run.step) if run.step else ""


def best(run: Summary) -> str:
    """The primary metric's best value with its short name: ``accuracy 0.982``."""
    return f"{run.metric.rpartition('/')[2]} {number(run.best)}" if run.best is not None else ""


def bar(share: float, width: int) -> str:
    """``█████─────  42 %`` in ``width`` cells; ``42 %`` where that is too few for more."""
    percent, cells = f"{math.floor(100 * share):3d} %", width - 6
    full = math.floor(share * cells)
    return f"{'█' * full}{'─' * (cells - full)} {percent}" if cells >= 3 else percent.strip()


def spent(run: Summary) -> str:
    """How long it has run."""
    return duration(run.seconds) if run.seconds else ""


def change(key: str, pair: Sequence[object]) -> str:
    """A setting that a fork has otherwise: ``trainer.lr 0.1 → 0.01``."""
    return f"{key} {' → '.join('none' if value is None else str(value) for value in pair)}"


BRANCH = "⑂"
"""Marks a fork in lists."""


def called(run: Summary) -> str:
    """A run's name in a list, a fork's with where it comes from: ``⑂ k3f9@1200``, by the end of that id."""
    parent, _, step = run.parent.rpartition("@")
    return f"{run.name} {BRANCH} {parent.rpartition('-')[2]}@{step}".strip() if parent else run.name
