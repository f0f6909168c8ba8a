"""Runs side by side: all their metrics at once, the settings they differ in, what they came to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Static

from dlkit.monitor.comparison import Comparison, compare
from dlkit.monitor.means import BUT_SEED, Together, together
from dlkit.monitor.run_tools import report_of
from dlkit.monitor.view import follow_run
from dlkit.present.numbers import counted
from dlkit.runs.folder import RunFolder
from dlkit.runs.groups import SEED
from dlkit.tui.compare.charts import CompareCharts, Names, group_key
from dlkit.tui.compare.rows import about, group_rows, letter, metrics, settings
from dlkit.tui.shared.area import Area
from dlkit.tui.shared.command_dialog import CommandDialog
from dlkit.tui.shared.poll import Source
from dlkit.tui.shared.table import Column, Row, Table

AGAIN_SECONDS = 2.0
"""How often the folders of live runs are read for the table, at most."""
_KEY, _COLUMN, _WIDEST = 23, 13, 40
"""Cells of the table's first column, and of the others at least and at most."""
_NAME = 24
"""Letters of a run's name that stand beside its letter."""


class CompareScreen(Area):
    """A chart a metric, one cursor for all of them; the table of differences on demand."""

    area = "runs"
    DEFAULT_CSS = """
    CompareScreen #charts-pane { height: 3fr; }
    CompareScreen #remarks { height: auto; max-height: 3; color: $text-warning; padding: 0 1; }
    CompareScreen #table { height: 2fr; border-top: solid $panel; }
    CompareScreen #detail { height: auto; max-height: 3; padding: 0 1; background: $surface; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "table", "Table", id="compare.table", tooltip="What they differ in, and what they came to"),
        Binding("b", "group", "Group by", id="compare.group", tooltip="Runs of one setting as a mean with its spread"),
        Binding("w", "report", "Report", id="compare.report", tooltip="These runs compared, as one page for others"),
        Binding("a", "shared", "All settings", show=False, id="compare.shared", tooltip="Those that are equal too"),
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

    def __init__(self, runs: list[RunFolder], by: str = "") -> None:
        super().__init__(f"{len(runs)} runs compared")
        self.runs = runs
        self.views = [follow_run(run) for run in runs]
        self.comparison: Comparison | None = None
        self.shared = False
        self.grouped_by = by
        """A setting, ``BUT_SEED``, or nothing."""
        self.first = 0
        """The first run that has a column in the table."""
        self._told = [-1] * len(runs)
        self._sources: list[Source[int]] = []
        self._due: Timer | None = None

    def body(self) -> ComposeResult:
        yield Names()
        yield CompareCharts(self.views, id="charts-pane")
        yield Static("", id="remarks", markup=False)
        yield Table([Column("key", "")], empty="reading …", id="table")
        yield Static("", id="detail", markup=False)

    def on_mount(self) -> None:
        self.charts.focus()
        for hidden in ("#remarks", "#table", "#detail"):
            self.query_one(hidden).display = False
        for i in range(len(self.views)):
            self._sources.append(self.dlkit.poller.watch(partial(self._look, i), lambda _: self.Seen(), self))
        self._show_charts()
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
        self._show_charts()
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
        self._show_table()
        self._show_charts()

    # Curves

    @property
    def charts(self) -> CompareCharts:
        return self.query_one(CompareCharts)

    @property
    def _primary(self) -> str:
        return next((metric for i in range(len(self.runs)) if (metric := self._recorded(i, "metric"))), "")

    def _recorded(self, place: int, key: str) -> str:
        """Of a run's record, by whichever of its two readers was there first."""
        found = str(self.views[place].record.get(key) or "")
        return found or (str(getattr(self.comparison.summaries[place], key)) if self.comparison is not None else "")

    def _show_charts(self) -> None:
        charts, groups = self.charts, self._together()
        charts.primary, charts.together = self._primary, groups
        self.query_one(Names).show(self._titles(groups))
        charts.update()

    def _together(self) -> list[Together]:
        if not self.grouped_by or self.comparison is None:
            return []
        return together(self.comparison.settings, len(self.runs), self.grouped_by)

    def _short(self, place: int) -> str:
        """A name that fits into a column: its own, or the end of its id."""
        return (self._recorded(place, "name") or "-".join(self.runs[place].id.split("-")[-2:]))[:_NAME]

    def action_report(self) -> None:
        words = report_of(self.runs, Path.cwd() / "exports")
        self.app.push_screen(CommandDialog(f"A report of {counted(len(self.runs), 'run')}", [words]))

    def action_group(self) -> None:
        from dlkit.tui.shared.choose import ChooseDialog

        differing = self.comparison.settings if self.comparison is not None else {}
        keys = [key for key in differing if key not in ("task", SEED)]
        if not keys:
            self.notify("nothing to group by: these runs differ in no setting but the seed", severity="warning")
            return
        choices = [("", "no groups  each run by itself"), (BUT_SEED, "all but the seed  runs of equal settings")]
        choices += [(key, f"{key}  {', '.join(dict.fromkeys(map(str, differing[key])))}") for key in keys]

        def take(by: str | None) -> None:
            if by is not None:
                self.grouped_by, self.first = by, 0
                self._show_charts()
                self._show_table()

        self.app.push_screen(ChooseDialog("Group the runs by", tuple(choices), self.grouped_by), take)

    # Table

    def _show_table(self) -> None:
        found, groups = self.comparison, self._together()
        if found is None:
            return
        table, titles = self.query_one("#table", Table), self._titles(groups)
        shown, width = self._columns(len(titles))
        columns = (Column(str(i), f"{titles[i][0]} {titles[i][1]}", width, right=True) for i in shown)
        table.columns = (Column("key", "", _KEY), *columns)
        differing = {key: column for key, column in found.settings.items() if key != "task"}  # it has a row already
        rows = group_rows(found, groups, self._primary) if groups else self._rows(found, differing, width)
        if self.shared:
            rows += settings({key: [value] * len(titles) for key, value in found.shared.items()}, "= ")
        table.show(rows)
        count, what = len(titles), "group" if groups else "run"
        ends = f"{titles[shown[0]][0]}-{titles[shown[-1]][0]} of " if len(shown) < count else ""
        more = ": , ." if ends else ""
        differ = "1 setting differs" if len(differing) == 1 else f"{len(differing) or 'no'} settings differ"
        whole = f"{ends}{counted(count, what)}{more}"
        self.say_where(f"{whole}  {differ}", f"{whole}  {len(differing)} differ", whole)
        self._tell()

    def _rows(self, found: Comparison, differing: Mapping[str, Sequence[object]], width: int) -> list[Row]:
        who, how_far = about(found.summaries, width)
        results = sorted(metrics(found), key=lambda row: row.key != f"m {self._primary}")
        return [*who, *results[:1], *settings(differing, "≠ "), *how_far, *results[1:]]

    def _titles(self, groups: Sequence[Together]) -> list[tuple[str, str]]:
        """Letters with names, of the groups, else of the runs."""
        if groups:
            return [(group_key(i), f"{group.name} (n = {len(group.places)})") for i, group in enumerate(groups)]
        return [(letter(i), self._short(i)) for i in range(len(self.runs))]

    def _columns(self, count: int) -> tuple[Sequence[int], int]:
        """The runs, or groups, that have one in the table, and how wide it is."""
        room = self.size.width - _KEY - 4
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
            titles = self._titles(self._together())
            texts = [row.cells.get(str(i), "") for i in range(len(titles))]
            values = [text if isinstance(text, str) else text[0] for text in texts]
            if row.key == ". run":
                values = [run.id for run in self.runs]
            pairs = (f"{key} {value}" for (key, _), value in zip(titles, values, strict=True) if value)
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
        self.query_one("#table").display = True

    def on_table_chosen(self, message: Table.Chosen) -> None:
        message.stop()

    def action_table(self) -> None:
        """Open it, and go there; or close it."""
        table = self.query_one("#table", Table)
        table.display = not table.display
        (table if table.display else self.charts).focus()
        self._tell()

    def action_back(self) -> None:
        """From the table to the charts alone, then out of here."""
        if self.query_one("#table").display:
            self.action_table()
        else:
            super().action_back()
