"""The curves of a run: train and validation together, what happened on the way, as many charts as fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual import work
from textual.message import Message

from dlkit.events import Sampled
from dlkit.monitor.distributions import WORDS, Course, Distributions
from dlkit.monitor.view import RunView
from dlkit.present.numbers import counted
from dlkit.runs.folder import ENDED
from dlkit.tui.chart.grid import ChartGrid
from dlkit.tui.chart.groups import SPLITS, Group, grouped
from dlkit.tui.chart.line import Heat, Line, Mark
from dlkit.tui.chart.units import TIME, Xs, branch_of, marks_of, why_not
from dlkit.tui.run.pane import Pane


class CurvesPane(ChartGrid, Pane):
    """All metrics of a run, those of one name in one chart."""

    DEFAULT_CSS = "CurvesPane { height: 1fr; layout: vertical; }"

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.view: RunView | None = None
        self._xs = Xs()
        self._distributions: Distributions | None = None
        self._heats: dict[str, tuple[Course, Line]] = {}
        self._asked: Sequence[Sampled] = ()

    def show(self, view: RunView) -> None:
        if self.view is not view:
            self._distributions, self._asked, self._heats = None, (), {}
        self.view = view
        self.update()

    def update(self) -> None:
        self._look_into_samples()
        super().update()

    # Distributions

    class Seen(Message):
        """The distributions of a run have been read."""

        def __init__(self, found: Distributions) -> None:
            self.found = found
            super().__init__()

    def _look_into_samples(self) -> None:
        """Where somebody wants to see distributions, and there are others than were read."""
        view = self.view
        if view is None or not self._detailed or view.sampled is self._asked or not self._drawn(view):
            return
        self._asked = view.sampled
        self._read(self._distributions or Distributions(view.run), view.sampled)

    @work(thread=True, exclusive=True, group="distributions", exit_on_error=False)
    def _read(self, found: Distributions, sampled: Sequence[Sampled]) -> None:
        if found.read(sampled):
            self.post_message(self.Seen(found))

    def on_curves_pane_seen(self, message: Seen) -> None:
        if self.view is not None and message.found.run == self.view.run:
            self._distributions = message.found
            self.shield(self.update)

    @property
    def _detailed(self) -> bool:
        return self.details or "layers" in self.pattern

    @property
    def _courses(self) -> Mapping[str, Course]:
        return self._distributions.courses if self._distributions is not None else {}

    def _drawn(self, view: RunView) -> int:
        """How many kinds of distributions there are to see."""
        return len({ref.name for event in view.sampled for ref in event.samples} & set(WORDS))

    def _heat(self, view: RunView, name: str) -> Line:
        course = self._courses[name]
        x = self._xs.of(view, name, course.steps, self.axis)
        known = self._heats.get(name)
        if known is None or known[0] is not course or known[1].x is not x:
            heat = Heat(course.shares, course.low, course.high, course.decades)
            line = Line("median", x, course.medians, colour=int(course.decades), heat=heat)
            known = self._heats[name] = course, line
        return known[1]

    # Charts

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
        names += self._courses
        return grouped(filter(None, names), primary, details=self._detailed, pattern=self.pattern)

    def lines(self, group: Group) -> list[Line]:
        view = self.view
        assert view is not None
        if group.key in self._courses:
            return [self._heat(view, group.key)]
        several = len(group.names) > 1
        found = []
        for name in group.names:
            split = name.split("/")[0]
            key, colour = SPLITS.get(split, ("", 0)) if "/" in name else ("", 3)
            try:
                series = view.series(name) if self.axis == TIME else view.joined(name)  # its own time begins with it
            except KeyError:  # a resume has made it void since the names were read, or it is still to come
                continue
            x = self._xs.of(view, name, series.steps, self.axis)
            since = branch_of(view, self.axis)
            found.append(Line(split if several else "", x, series.values, key if several else "", colour, since=since))
        return found

    def happened(self) -> Sequence[Mark]:
        return marks_of(self.view, self.axis) if self.view is not None else ()

    def nothing(self) -> str:
        state = self.view.state if self.view is not None else ""
        if state in ENDED or state in ("interrupted", "damaged"):
            return "No curves: the run recorded no metrics."
        return "No curves yet: they begin with the first steps."

    @property
    def hidden(self) -> str:
        if self.view is None:
            return ""
        count = sum(name.count("/") > 1 for name in self.view.names)
        classes = f"{counted(count, 'metric')} of single classes" if count else ""
        return " and ".join(filter(None, (classes, "distributions" if self._drawn(self.view) else "")))

    def no_unit(self, unit: str) -> str:
        return why_not([self.view] if self.view is not None else [], lambda _: "", unit)
