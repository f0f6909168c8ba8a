"""As many charts as fit, all looked at alike: which there are, which of them can be seen, which one keys mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.widget import Widget
from textual.widgets import Static

from dlkit.tui.chart.chart import Chart
from dlkit.tui.chart.groups import PLACEHOLDER, Group, settled
from dlkit.tui.chart.keys import CHART_KEYS, ChartKeys
from dlkit.tui.chart.line import Line, Mark, extent_of
from dlkit.tui.chart.look import Look
from dlkit.tui.chart.smooth import LEVELS
from dlkit.tui.chart.units import STEP, UNITS
from dlkit.tui.shared.filter_line import FilterLine
from dlkit.tui.shared.settings import keep, kept

WIDE, TALL = 48, 11
"""Cells that a chart must have before there is room for another beside or below it."""
GOOD = (56, 17)
"""Cells that a chart should have."""
MOST = (4, 3)


def shape(count: int, width: int, height: int) -> tuple[int, int]:
    """Columns and rows for so many charts in so many cells: none empty that need not be, the charts as near to a good
    size as can be."""
    most = max(1, min(MOST[0], width // WIDE)), max(1, min(MOST[1], height // TALL))
    wanted = max(1, min(count, most[0] * most[1]))
    ways = [(columns, -(-wanted // columns)) for columns in range(1, most[0] + 1)]
    fitting = [way for way in ways if way[1] <= most[1]]
    return max(fitting, key=lambda way: (min(width / way[0] / GOOD[0], height / way[1] / GOOD[1]), -way[0] * way[1]))


class ChartGrid(ChartKeys, Widget, can_focus=True):
    """A grid of charts; one of them is current: keys that concern one chart mean it. What there is to see is asked of
    ``groups_now``, ``lines`` and ``happened``, whenever ``update`` is called."""

    DEFAULT_CSS = """
    ChartGrid { height: 1fr; layout: vertical; }
    ChartGrid > #charts { height: 1fr; layout: grid; grid-gutter: 0 2; padding: 0 1; }
    ChartGrid > #pages { height: 1; padding: 0 1; color: $text-muted; text-align: right; text-wrap: nowrap; }
    ChartGrid > #none { padding: 1 2; height: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *CHART_KEYS,
        Binding("up,k", "go(-1)", "Previous chart", show=False, id="curves.previous"),
        Binding("down,j", "go(1)", "Next chart", show=False, id="curves.next"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="curves.page-up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="curves.page-down"),
        Binding("home,g", "go(-10000)", "First chart", show=False, id="curves.first"),
        Binding("end,G", "go(10000)", "Last chart", show=False, id="curves.last"),
        Binding("enter", "enlarge", "Enlarge", show=False, id="curves.enlarge"),
        Binding("slash", "filter", "Filter", key_display="/", id="curves.filter", tooltip="val/*, *acc*, or a part"),
        Binding(
            "d",
            "details",
            "Classes",
            show=False,
            id="curves.details",
            tooltip="Single classes, distributions",
        ),
        Binding("escape", "leave", "Back", show=False, id="curves.leave"),
    ]

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.groups: Sequence[Group] = ()
        self.details = False
        self.pattern = ""
        self.large = False
        """Whether the current chart has the whole pane."""
        self.primary = ""
        """The metric whose chart comes first."""
        self._settled_for = ""
        self._chosen = ""
        self._remember()

    def compose(self) -> ComposeResult:
        with Container(id="charts"):
            for _ in range(MOST[0] * MOST[1]):
                yield Chart()
        yield Static("", id="none", markup=False)
        yield Static("", id="pages", markup=False)
        yield FilterLine(PLACEHOLDER)

    # What others say

    def groups_now(self) -> Sequence[Group]:
        """The charts that there are, in the order of their weight."""
        raise NotImplementedError

    def lines(self, group: Group) -> list[Line]:
        """Those of a chart."""
        raise NotImplementedError

    def happened(self) -> Sequence[Mark]:
        """What is marked on all charts."""
        return ()

    def nothing(self) -> str:
        """What is said where there is no chart."""
        return ""

    @property
    def hidden(self) -> str:
        """What ``details`` would bring; empty if nothing."""
        return ""

    # What there is

    def on_mount(self) -> None:
        self.update()

    def on_resize(self) -> None:
        self.update()

    @property
    def place(self) -> int:
        """Of the current chart among all."""
        return next((i for i, group in enumerate(self.groups) if group.key == self._chosen), 0)

    @property
    def shape(self) -> tuple[int, int]:
        """Columns and rows of the grid."""
        return (1, 1) if self.large else shape(len(self.groups), self.size.width, self.size.height)

    @property
    def chart(self) -> Chart | None:
        return next((chart for chart in self.charts if chart.current), None)

    @property
    def chart_key(self) -> str:
        return self.groups[self.place].key if self.groups else ""

    @property
    def charts(self) -> list[Chart]:
        """Those that can be seen."""
        return [chart for chart in self.query(Chart) if chart.display]

    def looked(self) -> None:
        self._keep()
        self.update()

    def update(self) -> None:
        """Show what there is now. A chart stays in its place when others come: somebody may be looking at it."""
        if not self.is_mounted:
            return
        now = self.groups_now()
        if self._settled_for != self.primary:  # it was not known yet
            self._settled_for, self.groups = self.primary, ()
        self.groups = settled(self.groups, now)
        nothing = self.query_one("#none", Static)
        nothing.display = not self.groups
        self.query_one("#charts").display = bool(self.groups)
        if not self.groups:
            nothing.update(f"No metric matches {self.pattern!r}. escape: show all" if self.pattern else self.nothing())
        self._fill()
        self._tell_page()

    def _fill(self) -> None:
        """Give the charts of this page what they show; the others nothing to do."""
        columns, rows = self.shape
        slots = columns * rows
        grid = self.query_one("#charts")
        if (grid.styles.grid_size_columns, grid.styles.grid_size_rows) != (columns, rows):
            grid.styles.grid_size_columns, grid.styles.grid_size_rows = columns, rows
        first, happened = self.place // slots * slots, self.happened()
        lines = {group.key: self.lines(group) for group in self.groups}
        extent = extent_of([line for found in lines.values() for line in found])
        for i, chart in enumerate(self.query(Chart)):
            place = first + i
            chart.display = i < slots and place < len(self.groups)
            if not chart.display:
                chart.current = False
            else:
                group = self.groups[place]
                log_y = group.key in self.logarithmic or any(ln.heat and ln.heat.decades for ln in lines[group.key])
                chart.show(
                    group.title, lines[group.key], self.look, extent=extent, log_y=log_y,
                    unit=self.axis, current=place == self.place, happened=happened,
                )  # fmt: skip

    def _tell_page(self) -> None:
        columns, rows = self.shape
        slots, count = columns * rows, len(self.groups)
        first = self.place // slots * slots
        hidden = self.hidden if not self.details and not self.pattern else ""
        parts = [f"d: {hidden}"] if hidden else []
        if count > slots:
            last = min(count, first + slots)
            which = f"charts {first + 1}-{last}" if last > first + 1 else f"chart {last}"
            parts.append(f"up, down: {which} of {count}")
        line = self.query_one("#pages", Static)
        line.display = bool(parts)
        line.update("   ".join(parts))

    # Which chart

    def _choose(self, place: int) -> None:
        if self.groups:
            self._chosen = self.groups[max(0, min(len(self.groups) - 1, place))].key
            self.update()

    def action_go(self, by: int) -> None:
        self._choose(self.place + by)

    def action_page(self, by: int) -> None:
        columns, rows = self.shape
        slots = columns * rows
        self._choose((self.place // slots + by) * slots)

    def action_enlarge(self) -> None:
        columns, rows = self.shape
        if self.large or columns * rows > 1:
            self.large = not self.large
            self.update()

    def _point_at(self, chart: Chart) -> None:
        columns, rows = self.shape
        slots = columns * rows
        place = self.place // slots * slots + list(self.query(Chart)).index(chart)
        self._chosen = self.groups[place].key if place < len(self.groups) else self._chosen

    @on(Chart.Looked)
    def _chart_looked(self, message: Chart.Looked) -> None:
        self._point_at(message.chart)
        self.look = message.look
        self.update()

    @on(Chart.Opened)
    def _chart_opened(self, message: Chart.Opened) -> None:
        self._point_at(message.chart)
        self.action_enlarge()
        self.update()

    # How they are looked at

    def _remember(self) -> None:
        """Smoothing and axes as they were last chosen."""
        level, unit = kept("chart_smoothing", 0), kept("chart_axis", STEP)
        logarithmic = [name for name in kept("chart_log", list[object]()) if isinstance(name, str)]
        self.look = Look(level=level if 0 <= level < len(LEVELS) else 0, log_x=kept("chart_log_steps", False))
        self.unit = unit if unit in UNITS else STEP
        self.logarithmic = frozenset(logarithmic)
        self._remembered = self._choices()

    def _choices(self) -> dict[str, int | str | list[object]]:
        return {
            "chart_smoothing": self.look.level,
            "chart_log_steps": self.look.log_x,
            "chart_axis": self.unit,
            "chart_log": [*sorted(self.logarithmic)],
        }

    def _keep(self) -> None:
        before, self._remembered = self._remembered, self._choices()
        for name, value in self._remembered.items():
            if value != before[name]:
                keep(name, value)

    def action_details(self) -> None:
        self.details = not self.details
        self._anew()

    def action_filter(self) -> None:
        self.query_one(FilterLine).open()

    def on_filter_line_changed(self, message: FilterLine.Changed) -> None:
        message.stop()
        self.pattern = message.text
        self._anew()

    def _anew(self) -> None:
        """Other charts are wanted: they come in the order of their weight."""
        self.groups = ()
        self.update()

    def on_filter_line_left(self) -> None:
        self.focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Escape is the screen's where there is nothing to leave here."""
        if action == "leave":
            return self.large or any(line.is_open for line in self.query(FilterLine))
        return True

    def action_leave(self) -> None:
        if not self.query_one(FilterLine).leave():
            self.large = False
            self.update()
