"""One study: what may be said, every setting with its mean, the trials of the one under the cursor, the best so far."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Static

from dlkit.monitor import studies
from dlkit.monitor.means import BUT_SEED
from dlkit.monitor.run_tools import study_report
from dlkit.present.numbers import duration, number
from dlkit.runs.folder import Summary
from dlkit.steering import one_line
from dlkit.studies.results import Results, Row, best_so_far
from dlkit.studies.state import Trial
from dlkit.studies.telling import CHANGED, answer, columns, headline, looks_at_test, titles
from dlkit.studies.waking import run_of
from dlkit.tui.shared.command_dialog import CommandDialog
from dlkit.tui.shared.dialogs import TextDialog
from dlkit.tui.shared.table import Column, Table
from dlkit.tui.shared.table import Row as Line
from dlkit.tui.shared.words import state_cell
from dlkit.tui.studies.asked import OfOneStudy

TRIALS = (
    Column("seed", "seed", 5, right=True),
    Column("state", "state", 11),
    Column("best", "best", 9, right=True),
    Column("step", "step", 12, right=True, rank=2),
    Column("time", "time", 8, right=True, rank=3),
    Column("run", "run", 0, rank=1),
)
_STYLES = {"best": "bold green", "leads": "bold", "worse": "dim"}
_OPEN_TO = {
    "stop": ("queued", "running", "paused", "foreign"),
    "pause": ("running", "paused"),
    "resume": ("stopped", "failed"),
}
"""States of a trial in which each can be asked of it alone."""
_ROOMY = 110
"""Columns of a window in which the picture has room beside the trials."""
_PICTURE = 46
_VALUE = 9
"""Cells that a value of a setting has at least."""


class StudyScreen(OfOneStudy):
    """Enter goes from a setting to its trials, and from a trial to its run."""

    area = "studies"
    DEFAULT_CSS = """
    StudyScreen #head { height: auto; max-height: 9; padding: 0 2; background: $surface; }
    StudyScreen #settings { height: 2fr; }
    StudyScreen #lower { height: 1fr; min-height: 6; border-top: solid $panel; }
    StudyScreen #trials { width: 1fr; height: 1fr; }
    StudyScreen #picture { width: 48; height: 1fr; padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "mark", "Mark", id="study.mark"),
        Binding("p", "pause", "Pause", id="study.pause", tooltip="The trial under the cursor; once more: it goes on"),
        Binding("v", "charts", "Charts", id="study.charts", tooltip="Curves overlaid, importance, every setting's way"),
        Binding("c", "compare", "Compare", id="study.compare", tooltip="The curves of the marked settings' runs"),
        Binding("w", "report", "Report", id="study.report", tooltip="The study's answer as one page for others"),
        Binding("y", "best", "Best as command", id="study.best", tooltip="What trains the best setting again, to copy"),
    ]

    def body(self) -> ComposeResult:
        yield Static("looking …", id="head", markup=False)
        yield Table((), empty="looking …", enter="Trials", id="settings")
        with Horizontal(id="lower"):
            yield Table(TRIALS, empty="no trial yet", enter="Open", id="trials")
            yield Static("", id="picture", markup=False)

    def on_mount(self) -> None:
        self._settings.focus()
        self.on_resize()

    def on_resize(self) -> None:
        self.query_one("#picture").display = self.size.width >= _ROOMY
        self._draw()

    @property
    def _settings(self) -> Table:
        return self.query_one("#settings", Table)

    @property
    def _trials(self) -> Table:
        return self.query_one("#trials", Table)

    # What there is

    def show_found(self, found: Results) -> None:
        headers, rows = columns(found)
        self._settings.columns = _columns(headers, len(titles(found)))
        self._settings.empty = "no settings"
        self._settings.show([_line(row, cells) for row, cells in zip(found.rows, rows, strict=True)])
        self.query_one("#head", Static).update(_head(found))
        self._show_trials()
        self._draw()

    def on_table_moved(self, event: Table.Moved) -> None:
        if event.table is self._settings:
            self._show_trials()
        self.refresh_bindings()

    def _show_trials(self) -> None:
        row, found = self._row, self._results
        live = found.live if found is not None else {}
        trials = row.trials if row is not None else ()
        self._trials.show([_trial(trial, live.get(trial.number)) for trial in trials])

    def _draw(self) -> None:
        picture = self.query_one("#picture", Static)
        if self._results is None or not picture.display:
            return
        from dlkit.present.plot import curve

        seconds, best = best_so_far(self._results)
        if len(best) < 2:
            picture.update(Text("the best so far is drawn when two trials have ended", style="dim"))
            return
        metric = self._results.question.metric
        height = max(4, picture.size.height - 3)
        drawn = curve(seconds, {metric: best}, ("s", f"best {metric}"), colour=True, width=_PICTURE, height=height)
        picture.update(Text.from_ansi(drawn))

    @property
    def _row(self) -> Row | None:
        """The setting under the cursor."""
        rows = self._results.rows if self._results is not None else ()
        return next((row for row in rows if str(row.number) == self._settings.key), None)

    # What can be done

    def applies(self, action: str) -> bool:
        if self._trial is not None and action in ("stop", "pause", "resume"):
            return self._state_of_trial in _OPEN_TO[action]
        if action == "pause":
            return False
        if action in ("mark", "charts", "compare", "best"):
            return self._results is not None and any(row.trials for row in self._results.rows)
        return super().applies(action)

    @property
    def _trial(self) -> Trial | None:
        """The trial that keys are meant for: the one under the cursor, while their table has the focus."""
        row = self._row
        if row is None or not self._trials.has_focus:
            return None
        return next((one for one in row.trials if str(one.number) == self._trials.key), None)

    @property
    def _state_of_trial(self) -> str:
        trial, found = self._trial, self._results
        live = found.live.get(trial.number) if found is not None and trial is not None else None
        return live.state if live is not None else trial.state if trial is not None else ""

    def on_descendant_focus(self) -> None:
        self.refresh_bindings()

    def action_stop(self) -> None:
        trial = self._trial
        if trial is None:
            super().action_stop()
        elif self.applies("stop"):
            self.do(partial(studies.stop_trial, self._study, trial))

    def action_pause(self) -> None:
        if (trial := self._trial) is not None and self.applies("pause"):
            self.do(partial(studies.pause_trial, self._study, trial))

    def action_resume(self) -> None:
        trial = self._trial
        if trial is None:
            super().action_resume()
        elif self.applies("resume"):
            self.do(partial(studies.go_on, self._study, trial))

    def on_table_chosen(self, event: Table.Chosen) -> None:
        row = self._row
        if row is None:
            return
        if event.table is self._settings:
            self._trials.focus()
            return
        trial = next((one for one in row.trials if str(one.number) == event.key), None)
        if trial is not None and (run := run_of(self._study, trial)).path.is_dir():
            self.dlkit.open_run(run)
        elif trial is not None:
            self.notify(f"{trial.run} is not there", severity="warning", markup=False)

    def action_back(self) -> None:
        if self._trials.has_focus:
            self._settings.focus()
        else:
            super().action_back()

    def action_mark(self) -> None:
        self._settings.toggle_mark()

    def action_compare(self) -> None:
        found = self._results
        if found is None:
            return
        wanted = self._settings.marked or {self._settings.key}
        runs = studies.runs_of(self._study, [row for row in found.rows if str(row.number) in wanted])
        if runs:
            several = any(len(row.trials) > 1 for row in found.rows)
            self.dlkit.open_compare(runs, BUT_SEED if several and len(wanted) > 1 else "")
        else:
            self.notify("none of their runs is there", severity="warning", markup=False)

    def action_charts(self) -> None:
        from dlkit.tui.studies.charts import StudyCharts

        self.app.push_screen(StudyCharts(self._study))

    def action_report(self) -> None:
        words = study_report(self._study, Path.cwd() / "exports")
        self.app.push_screen(CommandDialog(f"A report of {self._study.short}", [words]))

    def action_best(self) -> None:
        if self._results is None or self._results.leader is None:
            self.notify("nothing has ended yet that could be the best", severity="warning", markup=False)
            return
        lines = [answer(self._results), "", *looks_at_test(self._results), "", f"dlkit study best {self._study.short}"]
        self.app.push_screen(TextDialog("the best setting", "\n".join(lines)))


def _head(found: Results) -> Text:
    """The answer first; then what it rests on."""
    text = Text.assemble((one_line(headline(found)), "bold"), f"\n{one_line(answer(found))}")
    for line in (*looks_at_test(found), *found.remarks):
        text.append(f"\n{one_line(line)}", "dim")
    return text


def _columns(headers: Sequence[str], keys: int) -> tuple[Column, ...]:
    """What is varied, then what came of it, which leaves last in a narrow window."""
    found = []
    for place, title in enumerate(headers):
        if place < keys and title == CHANGED:
            found.append(Column(str(place), title, 24, most=40))
        elif place < keys:
            found.append(Column(str(place), title, max(_VALUE, min(len(title), 18)), rank=2, most=24))
        else:
            what = place - keys
            found.append(Column(str(place), title or "says", (15, 15, 6, 8, 11, 12)[what], right=what < 5,
                                rank=(0, 3, 4, 5, 6, 1)[what]))  # fmt: skip
    return tuple(found)


def _line(row: Row, cells: Sequence[object]) -> Line:
    mark = str(cells[-1])
    told: dict[str, str | tuple[str, str]] = {str(place): str(cell) for place, cell in enumerate(cells)}
    told[str(len(cells) - 1)] = (mark, _STYLES.get(mark.partition(",")[0], ""))
    return Line(str(row.number), told)


def _trial(trial: Trial, live: Summary | None) -> Line:
    known = live is not None and live.state not in ("damaged", "foreign")
    best = live.best if live is not None and known else trial.best
    step = f"{live.step}/{live.total_steps}" if live is not None and known and live.total_steps else str(trial.steps)
    cells = {
        "seed": str(trial.seed),
        "state": state_cell(live.state if live is not None and known else trial.state),
        "best": number(best) if best is not None else "",
        "step": step,
        "time": duration(live.seconds if live is not None and known else trial.seconds),
        "run": f"{'-'.join(trial.run.split('-')[2:]) or trial.run}{' (was there)' if trial.reused else ''}",
    }
    return Line(str(trial.number), cells)  # type: ignore[arg-type]
