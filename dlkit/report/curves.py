"""A run's metrics as charts: what train, val and test have in common in one, the most important first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from dlkit.monitor.view import RunView
from dlkit.present.numbers import counted
from dlkit.report.blocks import NO_CLOCK, Chart, Charts, Line

UNFOLDED = 4
"""Charts that are seen at once; others are there when they are asked for."""
MOST = 40
_WIDE = 100.0
"""A loss whose largest value is so many times its smallest is drawn over powers of ten."""


def charts_of(view: RunView, primary: str) -> list[Charts]:
    """``primary`` is the metric that the run is judged by. Details (``val/accuracy/cat``) are left out."""
    groups = grouped_names([name for name in view.names if name.count("/") < 2], primary)
    made = [_chart(view, bare, names) for bare, names in list(groups.items())[:MOST]]
    seen, folded = made[:UNFOLDED], made[UNFOLDED:]
    found = [Charts(seen)] if seen else []
    return [*found, Charts(folded, f"{counted(len(folded), 'more curve')}")] if folded else found


def grouped_names(names: Sequence[str], primary: str) -> dict[str, list[str]]:
    """Metrics by what they measure on whichever split: the primary one, losses, what is measured on val, the rest."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(name.partition("/")[2] or name, []).append(name)

    def place(bare: str) -> tuple[bool, bool, bool]:
        measured = any(name.startswith("val/") for name in groups[bare])
        return bare != primary.partition("/")[2], bare != "loss", not measured

    return {bare: groups[bare] for bare in sorted(groups, key=place)}


def _chart(view: RunView, bare: str, names: Sequence[str]) -> Chart:
    lines = [line_of(view, name, name) for name in names]
    return Chart(bare, lines, log=wide([line.y for line in lines]), moments=view.moments)


def line_of(view: RunView, metric: str, called: str) -> Line:
    """A metric's course. A fork's begins with its parent's, whose seconds nobody here knows."""
    clock = view.clock if view.branch is None else NO_CLOCK
    return Line(called, *view.joined(metric), epoch_steps=view.epoch_steps, clock=clock)


def wide(values: Sequence[npt.NDArray[np.float64]]) -> bool:
    """Whether values are all above 0, and so far apart that a straight axis would show the largest alone."""
    known = np.concatenate([v[np.isfinite(v)] for v in values] or [np.empty(0)])
    return bool(len(known) and known.min() > 0 and known.max() / known.min() > _WIDE)
