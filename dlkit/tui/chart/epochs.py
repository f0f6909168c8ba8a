"""The steps of a run counted in epochs."""

from __future__ import annotations

from dlkit.events import Started
from dlkit.monitor.view import RunView
from dlkit.tui.chart.thin import Numbers

UNKNOWN = "how many steps an epoch has is not on record"


def epoch_steps(view: RunView) -> int:
    """Steps of an epoch as the run said when it began; 0 if it did not."""
    return next((event.epoch_steps for event in view.events if isinstance(event, Started)), 0)


class Epochs:
    """Steps divided by those of an epoch, once for each array of them: a chart knows by the array that nothing is
    new."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], tuple[Numbers, Numbers]] = {}

    def of(self, view: RunView, name: str, steps: Numbers) -> Numbers:
        """Those of a metric of a run."""
        key = view.run.id, name
        known = self._known.get(key)
        if known is None or known[0] is not steps:
            known = self._known[key] = steps, steps / (epoch_steps(view) or 1)
        return known[1]
