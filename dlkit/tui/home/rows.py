"""The rows of the first screen: runs that run, wait and have ended, then tasks, and what plugins offer in vain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dlkit.monitor.data_state import DataState
from dlkit.monitor.faults import Fault
from dlkit.monitor.home import Home, how_they_ended
from dlkit.monitor.pulse import Pulse, seconds_left, share
from dlkit.monitor.task_list import TaskEntry
from dlkit.present.numbers import ago, counted, duration, number, size
from dlkit.present.runs import bar, undated
from dlkit.present.sparkline import sparkline
from dlkit.present.text import first_line
from dlkit.runs.folder import Summary
from dlkit.tui.shared.table import Cell, Column, Row
from dlkit.tui.shared.words import state_cell

COLUMNS = (
    Column("what", "run or task", 20, most=28),
    Column("state", "state", 14),
    Column("when", "when", 10, right=True, rank=2, optional=True),
    Column("best", "best", 16, rank=1, optional=True),
    Column("trend", "course", 11, rank=3, optional=True),
    Column("about", "about", 0, rank=4),
)
_TASK = "task "
RUN = "run "
"""What keys of rows begin with: a run and a task may have one name."""


def rows(
    found: Home,
    pulses: Mapping[str, Pulse],
    waits: Mapping[str, str],
    tasks: Sequence[TaskEntry],
    faults: Mapping[str, Fault],
) -> list[Row]:
    """``waits``: why runs wait, by id; ``faults`` by the keys of their rows."""
    made = [
        *_section("running", counted(len(found.running), "run"), [_live(r, pulses) for r in found.running]),
        *_section("waiting", f"{len(found.waiting)}", [_waiting(run, waits) for run in found.waiting]),
        *_section("ended since you looked", _ended(found), [_over(run, pulses) for run in found.ended]),
        *_section("before that" if found.ended else "lately", "", [_over(run, pulses) for run in found.lately]),
    ]
    below = [_task(entry) for entry in tasks] + [_fault(key, fault) for key, fault in faults.items()]
    return [*made, *_section("tasks", "Enter: start here", below)] if made else below


def run_of(key: str) -> str:
    """The id of a row's run; empty if it has none."""
    return key.removeprefix(RUN) if key.startswith(RUN) else ""


def task_of(key: str) -> str:
    """The name of a row's task; empty if it has none."""
    return key.removeprefix(_TASK) if key.startswith(_TASK) else ""


def key_of(task: str) -> str:
    """Of a task's row."""
    return _TASK + task


def _section(title: str, more: str, under: list[Row]) -> list[Row]:
    line = f"{title}   {more}".rstrip()
    return [Row(f"#{title}", {}, line=line, skip=True), *under] if under else []


def _ended(found: Home) -> str:
    more = f", and {counted(found.untold, 'more run')} (2)" if found.untold else ""
    return f"{how_they_ended(found.ended)}{more}"


def _live(run: Summary, pulses: Mapping[str, Pulse]) -> Row:
    pulse = pulses.get(run.id, Pulse())
    done, left = share(run, pulse), seconds_left(run, pulse)
    word, style = state_cell(run.state)
    cells = _run(run, pulse)
    cells["state"] = (bar(done, 14) if run.state == "running" and done is not None else word), style
    cells["when"] = f"{duration(left)} left" if left is not None and run.state == "running" else ago(run.updated)
    return Row(RUN + run.id, cells)


def _waiting(run: Summary, waits: Mapping[str, str]) -> Row:
    return Row(RUN + run.id, {**_run(run, Pulse()), "state": state_cell(run.state), "about": waits.get(run.id, "")})


def _over(run: Summary, pulses: Mapping[str, Pulse]) -> Row:
    cells = _run(run, pulses.get(run.id, Pulse()))
    cells["state"] = state_cell(run.state)
    if run.reason:
        cells["about"] = first_line(run.reason)
    return Row(RUN + run.id, cells)


def _what(run: Summary) -> str:
    return run.name or undated(run.id.partition(":")[2] if run.remote else run.id)


def _run(run: Summary, pulse: Pulse) -> dict[str, Cell]:
    """What all rows of runs have."""
    made = " · ".join(filter(None, (run.task, run.model, run.dataset)))
    return {
        "what": f"{run.remote}: {_what(run)}" if run.remote else _what(run),
        "when": ago(run.updated or run.created),
        "trend": (sparkline(pulse.trend, 11), "cyan") if len(pulse.trend) > 1 else "",
        "best": _best(run),
        "about": made,
    }


def _best(run: Summary) -> str:
    """The value first: what is cut where the column is narrow is the metric's name."""
    return f"{number(run.best)} {run.metric.rpartition('/')[2]}" if run.best is not None else ""


def _task(entry: TaskEntry) -> Row:
    spec, last, top = entry.spec, entry.last, entry.best
    cells: dict[str, Cell] = {"what": spec.name, "about": f"{spec.title}. {spec.summary}"}
    cells["state"] = data_word(entry.default_data)
    if last is not None:
        cells["state"] = state_cell(last.state)
        cells["when"] = ago(last.updated or last.created)
    if top is not None and top.best is not None:
        cells["best"] = _best(top)
    return Row(key_of(spec.name), cells)


def _fault(key: str, fault: Fault) -> Row:
    state = fault.state, "bold yellow" if fault.what or fault.state != "broken" else "bold red"
    what = " ".join(filter(None, (fault.plugin.name, fault.what)))
    return Row(key, {"what": what, "state": state, "about": first_line(fault.reason)})


def data_word(state: DataState) -> str:
    """``embedded``, ``present``, or what is to be downloaded."""
    amount = f" {size(state['download'])}" if state["download"] else ""  # a source need not say how large it is
    return f"download{amount}" if state["state"] == "download" else state["state"]


def settled(now: Sequence[Row], before: Sequence[Row]) -> list[Row]:
    """The rows, those that say the same as before being the same: a table draws the others."""
    known = {row.key: row for row in before}
    return [known[row.key] if known.get(row.key) == row else row for row in now]
