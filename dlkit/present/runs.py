"""What lists say of a run, in as few cells as can be."""

from __future__ import annotations

from dlkit.present.numbers import duration, number
from dlkit.runs.folder import Summary


def titled(run: Summary) -> str:
    """``NAME (ID)``, or the id: a run where there is a sentence for it."""
    return f"{run.name} ({run.id})" if run.name else run.id


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


def spent(run: Summary) -> str:
    """How long it has run."""
    return duration(run.seconds) if run.seconds else ""
