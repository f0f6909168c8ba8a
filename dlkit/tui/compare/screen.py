"""Runs side by side: their curves over each other, the settings they differ in, what they came to."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Static

from dlkit.monitor.comparison import Comparison, compare
from dlkit.monitor.view import RunView, follow_run
from dlkit.runs.folder import RunFolder
from dlkit.tui.chart.chart import Chart
from dlkit.tui.chart.epochs import UNKNOWN, Epochs, epoch_steps
from dlkit.tui.chart.groups import PLACEHOLDER, grouped
from dlkit.tui.chart.keys import CHART_KEYS, ChartKeys
from dlkit.tui.chart.line import Line
from dlkit.tui.compare.rows import about, letter, metrics, settings
from dlkit.tui.shared.area import Area
from dlkit.tui.shared.filter_line import FilterLine
from dlkit.tui.shared.poll import Source
from dlkit.tui.shared.table import Column, Row, Table

AGAIN_SECONDS = 2.0
"""How often the folders of live runs are read for the table, at most."""
_KEY, _COLUMN, _WIDEST = 23, 13, 40
"""Cells of the table's first column, and of the others at least and at most."""


class CompareScreen(ChartKeys, Area):
    """A list of metrics, the chosen one's curves, a table. The arrows up and down choose, left and right point."""

    area = "runs"
    DEFAULT_CSS = """
    CompareScreen #top { height: 3fr; }
    CompareScreen #names { width: 24; }
    CompareScreen Chart { margin: 0 1; }
    CompareScreen #remarks { height: auto; max-height: 3; color: $text-warning; padding: 0 1; }
    CompareScreen #table { height: 2fr; border-top: solid $panel; }
    CompareScreen #detail { height: auto; max-height: 3; padding: 0 1; background: $surface; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *CHART_KEYS,
        Binding("a", "shared", "All settings", id="compare.shared", tooltip="Those that are equal too"),
        Binding("d", "details", "Classes", show=False, id="compare.details", tooltip="Metrics of single classes"),
        Binding("slash", "filter", "Filter", key_display="/", id="compare.filter", tooltip="Metrics: val/*, *acc*"),
        Binding("comma", "runs(-1)", "Runs left", show=False, id="compare.runs-left"),
        Binding("full_stop", "runs(1)", "Runs right", show=False, id="compare.runs-right"),
    ]

    class Seen(Message):
        """A run has something new."""

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, CompareScreen.Seen)

    class Compared(Message):
        """What the folders say."""

        def __init__(self, comparison: Comparison) -> None:
            self.comparison = comparison
            super().__init__()

    def __init__(self, runs: list[RunFolder]) -> None:
        super().__init__(f"{len(runs)} runs compared")
        self.runs = runs
        self.views = [follow_run(run) for run in runs]
        self.comparison: Comparison | None = None
        self.metric = ""
        self.pattern = ""
        self.details = self.shared = False
        self.first = 0
        """The first run that has a column in the table."""
        self._told = [-1] * len(runs)
        self._sources: list[Source[int]] = []
        self._due: Timer | None = None
        self._epochs = Epochs()

    def body(self) -> ComposeResult:
        with Horizontal(id="top"):
            yield Table([Column("name", "metric")], empty="no metrics yet", id="names")
            yield Chart()
        yield Static("", id="remarks", markup=False)
        yield Table([Column("key", "")], empty="reading …", id="table")
        yield Static("", id="detail", markup=False)
        yield FilterLine(PLACEHOLDER)

    def on_mount(self) -> None:
        self._names.focus()
        self.query_one("#remarks").display = False
        for i in range(len(self.views)):
            self._sources.append(self.dlkit.poller.watch(partial(self._look, i), lambda _: self.Seen(), self))
        self._compare()

    def on_unmount(self) -> None:
        for source in self._sources:
            source.close()

    # Reading

    def _look(self, place: int) -> int | None:
        """In the poller's thread."""
        view = self.views[place]
        view.poll()
        if view.behind:
            self.dlkit.poller.nudge()
        if view.version == self._told[place]:
            return None
        self._told[place] = view.version
        return view.version

    @work(thread=True, exclusive=True, group="compare", exit_on_error=False)
    def _compare(self) -> None:
        self.post_message(self.Compared(compare(self.runs)))

    def on_compare_screen_seen(self, _: Seen) -> None:
        self._show_names()
        self._show_chart()
        if self._due is None:
            self._due = self.set_timer(AGAIN_SECONDS, self._compare_again)

    def _compare_again(self) -> None:
        self._due = None
        self._compare()

    def runs_changed(self) -> None:
        """A run has ended, say: what it came to is on record by now."""
        known = {run.id: run.state for run in self.dlkit.summaries}
        there = self.comparison.summaries if self.comparison is not None else ()
        if any(known.get(summary.id, summary.state) != summary.state for summary in there):
            self._compare()

    def on_compare_screen_compared(self, message: Compared) -> None:
        self.comparison = message.comparison
        remarks = self.query_one("#remarks", Static)
        remarks.update("\n".join(message.comparison.remarks))
        remarks.display = bool(message.comparison.remarks)
        self._show_names()
        self._show_table()
        self._show_chart()

    # Metrics and curves

    @property
    def _names(self) -> Table:
        return self.query_one("#names", Table)

    @property
    def _primary(self) -> str:
        return next((metric for i in range(len(self.runs)) if (metric := self._recorded(i, "metric"))), "")

    def _recorded(self, place: int, key: str) -> str:
        """Of a run's record, by whichever of its two readers was there first."""
        found = str(self.views[place].record.get(key) or "")
        return found or (str(getattr(self.comparison.summaries[place], key)) if self.comparison is not None else "")

    def _show_names(self) -> None:
        """Of all runs; marked is how many have it, where not all do."""
        names = dict.fromkeys(name for view in self.views for name in view.names)
        groups = grouped(names, self._primary, details=self.details, pattern=self.pattern)
        found = sorted((name for group in groups for name in group.names), key=lambda name: name != self._primary)
        rows = [Row(name, {"name": f"{name}{self._share(name)}"}) for name in found]
        table = self._names
        table.empty = "no metric matches" if names else "no metrics yet"
        table.show(rows)
        self.metric = table.key

    def _share(self, name: str) -> str:
        count = sum(name in view.names for view in self.views)
        return "" if count == len(self.views) else f" ({count} of {len(self.views)})"

    @on(Table.Moved, "#names")
    def _metric_chosen(self, message: Table.Moved) -> None:
        self.metric = message.key
        self._show_chart()

    @property
    def chart(self) -> Chart:
        return self.query_one(Chart)

    def looked(self) -> None:
        self._show_chart()

    def _show_chart(self) -> None:
        lines = [line for i, view in enumerate(self.views) for line in self._line(i, view)]
        nothing = not any(view.names for view in self.views)
        self.chart.empty = "none of these runs has any metrics yet" if nothing else "choose a metric"
        self.chart.show(
            self.metric or "no metric", lines, self.look, log_y=self.metric in self.logarithmic, epochs=self.epochs
        )

    def _line(self, place: int, view: RunView) -> list[Line]:
        try:
            series = view.series(self.metric)
        except KeyError:
            return []
        x = self._epochs.of(view, self.metric, series.steps) if self.epochs else series.steps
        return [Line(self._short(place), x, series.values, letter(place), place)]

    def _short(self, place: int) -> str:
        """A name that fits into a column: its own, or the end of its id."""
        return (self._recorded(place, "name") or "-".join(self.runs[place].id.split("-")[-2:]))[:16]

    @on(Chart.Looked)
    def _chart_looked(self, message: Chart.Looked) -> None:
        self.look = message.look
        self._show_chart()

    def no_epochs(self) -> str:
        without = [letter(i) for i, view in enumerate(self.views) if not epoch_steps(view)]
        return f"{UNKNOWN}: {', '.join(without)}" if without else ""

    # Table

    def _show_table(self) -> None:
        found = self.comparison
        if found is None:
            return
        table = self.query_one("#table", Table)
        shown, width = self._columns()
        table.columns = (
            Column("key", "", _KEY),
            *(Column(str(i), f"{letter(i)} {self._short(i)}", width, right=True) for i in shown),
        )
        who, how_far = about(found.summaries, width)
        results = sorted(metrics(found), key=lambda row: row.key != f"m {self._primary}")
        differing = {key: column for key, column in found.settings.items() if key != "task"}  # it has a row already
        rows = [*who, *results[:1], *settings(differing, "≠ "), *how_far, *results[1:]]
        if self.shared:
            rows += settings({key: [value] * len(self.runs) for key, value in found.shared.items()}, "= ")
        table.show(rows)
        count = len(self.runs)
        which = (
            f"{letter(shown[0])}-{letter(shown[-1])} of {count} runs: , ." if len(shown) < count else f"{count} runs"
        )
        differ = "1 setting differs" if len(differing) == 1 else f"{len(differing) or 'no'} settings differ"
        self.say_where(f"{which}  {differ}")
        self._tell()

    def _columns(self) -> tuple[Sequence[int], int]:
        """The runs that have one in the table, and how wide it is."""
        room, count = self.size.width - _KEY - 4, len(self.runs)
        most = max(1, room // (_COLUMN + 1))
        self.first = max(0, min(self.first, count - most))
        shown = range(self.first, min(count, self.first + most))
        return shown, max(_COLUMN, min(_WIDEST, room // len(shown) - 1))

    def on_resize(self) -> None:
        self._show_table()

    @on(Table.Moved, "#table")
    def _tell(self) -> None:
        """The row under the cursor in full."""
        found = self.comparison
        detail = self.query_one("#detail", Static)
        row = next((row for row in self.query_one("#table", Table).rows if row.key == self._row_key), None)
        detail.display = found is not None and row is not None and self.query_one("#table").has_focus
        if row is not None:
            texts = [row.cells.get(str(i), "") for i in range(len(self.runs))]
            values = [text if isinstance(text, str) else text[0] for text in texts]
            if row.key == ". run":
                values = [run.id for run in self.runs]
            pairs = (f"{letter(i)} {value}" for i, value in enumerate(values) if value)
            detail.update(f"{row.key.partition(' ')[2]}:  {'   '.join(pairs)}")

    @property
    def _row_key(self) -> str:
        return self.query_one("#table", Table).key

    def on_descendant_focus(self) -> None:
        self._tell()

    def action_runs(self, by: int) -> None:
        self.first = max(0, self.first + by)
        self._show_table()

    def action_shared(self) -> None:
        self.shared = not self.shared
        self._show_table()

    def on_table_chosen(self, message: Table.Chosen) -> None:
        message.stop()

    # Filter

    def action_details(self) -> None:
        self.details = not self.details
        self._show_names()
        self._show_chart()

    def action_filter(self) -> None:
        self.query_one(FilterLine).open()

    def on_filter_line_changed(self, message: FilterLine.Changed) -> None:
        self.pattern = message.text
        self._show_names()
        self._show_chart()

    def on_filter_line_left(self) -> None:
        self._names.focus()

    def action_back(self) -> None:
        """The filter, or the screen if there is none."""
        if not self.query_one(FilterLine).leave():
            super().action_back()
