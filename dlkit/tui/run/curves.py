"""The curves of a run: train and validation together, as many charts as fit, all looked at alike."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.widgets import Static

from dlkit.monitor.view import RunView
from dlkit.present.numbers import counted
from dlkit.runs.folder import ENDED
from dlkit.tui.chart.chart import Chart
from dlkit.tui.chart.epochs import UNKNOWN, Epochs, epoch_steps
from dlkit.tui.chart.groups import PLACEHOLDER, SPLITS, Group, grouped
from dlkit.tui.chart.keys import CHART_KEYS, ChartKeys
from dlkit.tui.chart.line import Line, extent_of
from dlkit.tui.run.pane import Pane
from dlkit.tui.shared.filter_line import FilterLine

WIDE, TALL = 56, 17
"""Cells that a chart should have before there is room for another beside or below it."""
MOST = (3, 2)


class CurvesPane(ChartKeys, Pane, can_focus=True):
    """A grid of charts; one of them is current: keys that concern one chart mean it."""

    DEFAULT_CSS = """
    CurvesPane { height: 1fr; layout: vertical; }
    CurvesPane > #charts { height: 1fr; layout: grid; grid-gutter: 1 2; padding: 0 1; }
    CurvesPane > #pages { height: 1; padding: 0 1; color: $text-muted; text-align: right; text-wrap: nowrap; }
    CurvesPane > #none { padding: 1 2; height: 1fr; }
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
        Binding("d", "details", "Classes", show=False, id="curves.details", tooltip="Metrics of single classes"),
        Binding("escape", "leave", "Back", show=False, id="curves.leave"),
    ]

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.view: RunView | None = None
        self.groups: list[Group] = []
        self.details = False
        self.pattern = ""
        self.large = False
        """Whether the current chart has the whole pane."""
        self._title = ""
        self._epochs = Epochs()

    def compose(self) -> ComposeResult:
        with Container(id="charts"):
            for _ in range(MOST[0] * MOST[1]):
                yield Chart()
        yield Static("", id="none", markup=False)
        yield Static("", id="pages", markup=False)
        yield FilterLine(PLACEHOLDER)

    # What there is

    def show(self, view: RunView) -> None:
        self.view = view
        self._update()

    def on_mount(self) -> None:
        self._update()

    def on_resize(self) -> None:
        self.shield(self._update)

    @property
    def place(self) -> int:
        """Of the current chart among all."""
        return next((i for i, group in enumerate(self.groups) if group.title == self._title), 0)

    @property
    def shape(self) -> tuple[int, int]:
        """Columns and rows of the grid."""
        if self.large:
            return 1, 1
        columns = max(1, min(MOST[0], self.size.width // WIDE, len(self.groups)))
        return columns, max(1, min(MOST[1], self.size.height // TALL, -(-len(self.groups) // columns)))

    @property
    def chart(self) -> Chart | None:
        return next((chart for chart in self.charts if chart.current), None)

    @property
    def charts(self) -> list[Chart]:
        """Those that can be seen."""
        return [chart for chart in self.query(Chart) if chart.display]

    def looked(self) -> None:
        self._update()

    def _update(self) -> None:
        view = self.view
        if view is None or not self.is_mounted:
            return
        primary = str(view.record.get("metric", ""))
        self.groups = grouped(view.names, primary, details=self.details, pattern=self.pattern)
        nothing = self.query_one("#none", Static)
        nothing.display = not self.groups
        self.query_one("#charts").display = bool(self.groups)
        if not self.groups:
            nothing.update(self._nothing(view))
        self._fill(view)
        self._tell_page()

    def _fill(self, view: RunView) -> None:
        """Give the charts of this page what they show; the others nothing to do."""
        columns, rows = self.shape
        slots = columns * rows
        grid = self.query_one("#charts")
        if (grid.styles.grid_size_columns, grid.styles.grid_size_rows) != (columns, rows):
            grid.styles.grid_size_columns, grid.styles.grid_size_rows = columns, rows
        first = self.place // slots * slots
        lines = {group.title: self._lines(view, group) for group in self.groups}
        extent = extent_of([line for found in lines.values() for line in found])
        for i, chart in enumerate(self.query(Chart)):
            place = first + i
            chart.display = i < slots and place < len(self.groups)
            if not chart.display:
                chart.current = False
            else:
                title = self.groups[place].title
                chart.show(
                    title, lines[title], self.look, extent=extent, log_y=title in self.logarithmic,
                    epochs=self.epochs, current=place == self.place,
                )  # fmt: skip

    def _lines(self, view: RunView, group: Group) -> list[Line]:
        several = len(group.names) > 1
        found = []
        for name in group.names:
            split = name.split("/")[0]
            key, colour = SPLITS.get(split, ("", 0)) if "/" in name else ("", 3)
            try:
                series = view.series(name)
            except KeyError:  # a resume has made it void since the names were read
                continue
            x = self._epochs.of(view, name, series.steps) if self.epochs else series.steps
            found.append(Line(split if several else "", x, series.values, key if several else "", colour))
        return found

    def _nothing(self, view: RunView) -> str:
        if self.pattern:
            return f"No metric matches {self.pattern!r}. escape: show all"
        if view.state in ENDED or view.state in ("interrupted", "damaged"):
            return "No curves: the run recorded no metrics."
        return "No curves yet: they begin with the first steps."

    def _tell_page(self) -> None:
        columns, rows = self.shape
        slots, count = columns * rows, len(self.groups)
        first = self.place // slots * slots
        hidden = sum(name.count("/") > 1 for name in self.view.names) if self.view and not self.details else 0
        parts = [f"d: {counted(hidden, 'metric')} of single classes"] if hidden and not self.pattern else []
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
            self._title = self.groups[max(0, min(len(self.groups) - 1, place))].title
            self._update()

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
            self._update()

    @on(Chart.Looked)
    def _chart_looked(self, message: Chart.Looked) -> None:
        self._title, self.look = message.chart.title, message.look
        self._update()

    @on(Chart.Opened)
    def _chart_opened(self, message: Chart.Opened) -> None:
        self._title = message.chart.title
        self.action_enlarge()
        self._update()

    # How they are looked at

    def no_epochs(self) -> str:
        return "" if self.view is not None and epoch_steps(self.view) else UNKNOWN

    def action_details(self) -> None:
        self.details = not self.details
        self._update()

    def action_filter(self) -> None:
        self.query_one(FilterLine).open()

    def on_filter_line_changed(self, message: FilterLine.Changed) -> None:
        self.pattern = message.text
        self._update()

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
            self._update()
