"""What the x axis of a run's curves may count: steps, epochs, seconds of training."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from dlkit.monitor.clock import seconds_at
from dlkit.monitor.view import RunView
from dlkit.present.numbers import duration
from dlkit.tui.chart.axes import thousands
from dlkit.tui.chart.line import Mark
from dlkit.tui.chart.thin import Numbers

STEP, EPOCH, TIME = UNITS = ("step", "epoch", "time")
"""In the order in which a key goes through them."""
UNKNOWN = "how many steps an epoch has is not on record"


def words(x: float, unit: str) -> str:
    """``step 1 200``, ``epoch 2.50``, ``time 5:04``."""
    return f"{unit} {value(x, unit)}"


def value(x: float, unit: str) -> str:
    return duration(x) if unit == TIME else thousands(x)


class Xs:
    """Steps in another unit, once for each array of them: a chart knows by the array that nothing is new."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, str], tuple[Numbers, Numbers]] = {}

    def of(self, view: RunView, name: str, steps: Numbers, unit: str) -> Numbers:
        """Those of a metric of a run."""
        if unit == STEP:
            return steps
        key = view.run.id, name, unit
        known = self._known.get(key)
        if known is None or known[0] is not steps:
            known = self._known[key] = steps, _in(view, unit)(steps)
            for other in [other for other in self._known if other[2] != unit]:
                del self._known[other]
        return known[1]


def marks_of(view: RunView, unit: str) -> list[Mark]:
    """What happened in a run, at its places on the axis."""
    places = _in(view, unit)(np.array([moment.step for moment in view.moments], np.int64))
    return [Mark(float(x), moment.kind, moment.text) for x, moment in zip(places, view.moments, strict=True)]


def branch_of(view: RunView, unit: str) -> float | None:
    """Where a fork began; None of a run that is none, and where nothing before it can be seen."""
    if view.branch is None or unit == TIME:
        return None
    return float(_in(view, unit)(np.array([view.branch]))[0])


def why_not(views: Sequence[RunView], names: Callable[[int], str], unit: str) -> str:
    """Why x cannot count so; empty if it can. ``names``: of the runs, by their places."""
    if unit != EPOCH:
        return ""
    without = [names(place) for place, view in enumerate(views) if not view.epoch_steps]
    told = ", ".join(filter(None, without))
    return (f"{UNKNOWN}: {told}" if told else UNKNOWN) if without else ""


def _in(view: RunView, unit: str) -> Callable[[Numbers], Numbers]:
    if unit == EPOCH:
        return lambda steps: steps / (view.epoch_steps or 1)
    if unit == TIME:
        return lambda steps: seconds_at(view.clock, steps)
    return lambda steps: steps
