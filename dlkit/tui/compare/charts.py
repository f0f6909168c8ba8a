"""The curves of several runs, a chart a metric; or those of their groups, as means with their spread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual.geometry import Size
from textual.widget import Widget

from dlkit.monitor.means import Together
from dlkit.monitor.view import RunView
from dlkit.present.numbers import counted
from dlkit.runs.courses import mean_course
from dlkit.steering import one_line
from dlkit.tui.chart.grid import ChartGrid
from dlkit.tui.chart.groups import Group, apart, grouped
from dlkit.tui.chart.legend import packed
from dlkit.tui.chart.line import Line
from dlkit.tui.chart.palette import colour
from dlkit.tui.chart.thin import Floats, Numbers
from dlkit.tui.chart.units import TIME, Xs, branch_of, why_not
from dlkit.tui.compare.rows import letter

_NUMBERS = "123456789"
"""Keys of groups, while letters are the runs'."""


def group_key(place: int) -> str:
    """Of a group in charts and legend."""
    return _NUMBERS[place] if place < len(_NUMBERS) else letter(place - len(_NUMBERS)).lower()


class CompareCharts(ChartGrid):
    """``views`` of runs in their order; ``together`` are their groups, where they are shown by them."""

    def __init__(self, views: Sequence[RunView], id: str | None = None) -> None:
        super().__init__(id=id)
        self.views = views
        self.together: Sequence[Together] = ()
        self._xs = Xs()
        self._means: dict[tuple[str, str], tuple[list[tuple[Numbers, Floats]], Line]] = {}

    def groups_now(self) -> Sequence[Group]:
        names = dict.fromkeys(name for view in self.views for name in view.names)
        found = apart(grouped(names, self.primary, details=self.details, pattern=self.pattern), self.primary)
        return [Group(f"{group.title}{self._share(group.title)}", group.names, group.key) for group in found]

    def _share(self, name: str) -> str:
        """How many have it, where not all do."""
        count = sum(name in view.names for view in self.views)
        return "" if count == len(self.views) else f" ({count} of {len(self.views)})"

    def lines(self, group: Group) -> list[Line]:
        courses = {place: found for place in range(len(self.views)) if (found := self._course(place, group.key))}
        if self.together:
            return [line for i in range(len(self.together)) if (line := self._mean(group.key, i, courses))]
        return [
            Line("", x, y, letter(place), place, since=branch_of(self.views[place], self.axis))
            for place, (x, y) in courses.items()
        ]

    def _course(self, place: int, name: str) -> tuple[Numbers, Floats] | None:
        view = self.views[place]
        try:
            alone = self.together or self.axis == TIME  # a mean is of what the runs themselves measured
            series = view.series(name) if alone else view.joined(name)
        except KeyError:
            return None
        return self._xs.of(view, name, series.steps, self.axis), series.values

    def _mean(self, name: str, place: int, courses: Mapping[int, tuple[Numbers, Floats]]) -> Line | None:
        """Computed again only where one of its courses is another: a chart knows by the arrays that nothing is new."""
        group = self.together[place]
        members = [courses[i] for i in group.places if i in courses]
        if not members:
            return None
        key = name, group.name
        known = self._means.get(key)
        same = known is not None and len(known[0]) == len(members) and all(
            a is c and b is d for (a, b), (c, d) in zip(known[0], members, strict=True)
        )  # fmt: skip
        if known is None or not same:
            found = mean_course(members)
            band = found.low, found.high
            known = self._means[key] = members, Line("", found.x, found.mean, group_key(place), place, band)
        return known[1]

    def nothing(self) -> str:
        return "none of these runs has any metrics yet"

    @property
    def hidden(self) -> str:
        count = sum(name.count("/") > 1 for name in {name for view in self.views for name in view.names})
        return f"{counted(count, 'metric')} of single classes" if count else ""

    def no_unit(self, unit: str) -> str:
        return why_not(self.views, letter, unit)


class Names(Widget):
    """Which letter and which colour is which run, or which group: in as many lines as that takes, a few at most."""

    DEFAULT_CSS = "Names { height: auto; padding: 0 1; background: $background; }"
    MOST = 3

    def __init__(self) -> None:
        super().__init__()
        self._names: Sequence[tuple[str, str]] = ()

    def show(self, names: Sequence[tuple[str, str]]) -> None:
        """Letters with names, in the order of the palette."""
        if names != self._names:
            self._names = names
            self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return max(1, min(self.MOST, len(packed(self._widths, width))))

    @property
    def _widths(self) -> list[int]:
        return [cell_len(one_line(name)) + 2 for _, name in self._names]

    def render(self) -> Text:
        dark = self.app.current_theme.dark
        text = Text(no_wrap=True, end="")
        for row, places in enumerate(packed(self._widths, self.content_size.width)[: self.MOST]):
            text.append("\n" if row else "")
            for i, (place, _) in enumerate(places):
                key, name = self._names[place]
                style = Style(color=colour(place, dark=dark))
                text.append("   " if i else "").append(key, style + Style(bold=True))
                text.append(f" {one_line(name)}", style)
        return text
