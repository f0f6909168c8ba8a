"""The curves of a run: train and validation together, what happened on the way, as many charts as fit."""

from __future__ import annotations

from collections.abc import Sequence

from dlkit.monitor.view import RunView
from dlkit.runs.folder import ENDED
from dlkit.tui.chart.grid import ChartGrid
from dlkit.tui.chart.groups import SPLITS, Group, grouped
from dlkit.tui.chart.line import Line, Mark
from dlkit.tui.chart.units import Xs, marks_of, why_not
from dlkit.tui.run.pane import Pane


class CurvesPane(ChartGrid, Pane):
    """All metrics of a run, those of one name in one chart."""

    DEFAULT_CSS = "CurvesPane { height: 1fr; layout: vertical; }"

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.view: RunView | None = None
        self._xs = Xs()

    def show(self, view: RunView) -> None:
        self.view = view
        self.update()

    def on_resize(self) -> None:
        self.shield(self.update)

    def groups_now(self) -> Sequence[Group]:
        view = self.view
        if view is None:
            return ()
        self.primary = primary = str(view.record.get("metric", ""))
        names = list(view.names)
        # From the beginning in its place, which is the first: it comes with the first evaluation only.
        if names and primary not in names and view.state in ("running", "paused"):
            names.append(primary)
        return grouped(filter(None, names), primary, details=self.details, pattern=self.pattern)

    def lines(self, group: Group) -> list[Line]:
        view = self.view
        assert view is not None
        several = len(group.names) > 1
        found = []
        for name in group.names:
            split = name.split("/")[0]
            key, colour = SPLITS.get(split, ("", 0)) if "/" in name else ("", 3)
            try:
                series = view.series(name)
            except KeyError:  # a resume has made it void since the names were read, or it is still to come
                continue
            x = self._xs.of(view, name, series.steps, self.axis)
            found.append(Line(split if several else "", x, series.values, key if several else "", colour))
        return found

    def happened(self) -> Sequence[Mark]:
        return marks_of(self.view, self.axis) if self.view is not None else ()

    def nothing(self) -> str:
        state = self.view.state if self.view is not None else ""
        if state in ENDED or state in ("interrupted", "damaged"):
            return "No curves: the run recorded no metrics."
        return "No curves yet: they begin with the first steps."

    @property
    def hidden(self) -> int:
        return sum(name.count("/") > 1 for name in self.view.names) if self.view is not None else 0

    def no_unit(self, unit: str) -> str:
        return why_not([self.view] if self.view is not None else [], lambda _: "", unit)
