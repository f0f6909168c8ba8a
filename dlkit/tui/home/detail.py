"""What stands below the list on the first screen: of a run, a task, or what a plugin offers in vain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from dlkit.components import Spec
from dlkit.monitor.faults import Fault
from dlkit.monitor.pulse import Pulse, seconds_left
from dlkit.monitor.task_list import TaskEntry
from dlkit.present.numbers import ago, duration, number
from dlkit.present.runs import best, steps, titled
from dlkit.present.sparkline import bars, thinned
from dlkit.present.text import first_line
from dlkit.runs.folder import Summary
from dlkit.steering import one_line
from dlkit.testing.record import read_record
from dlkit.tui.home.rows import data_word
from dlkit.tui.shared.words import state_cell

FIRST_MINUTE = (("Enter", "opens the form"), ("Enter", "trains"), ("P", "asks the model"), ("Enter", "its answer"))
"""What somebody who has no run yet is told: four keys to the first answer."""
LEAST = 3
"""Lines that a course needs to be more than a line of blocks."""


def of_run(run: Summary, pulse: Pulse, why: str) -> Text:
    """``why``: what a waiting run waits for."""
    word, style = state_cell(run.state)
    text = Text.assemble((one_line(run.name or run.id), "bold"), "  ", (word, style or "none"), "\n")
    made = " · ".join(filter(None, (run.task, run.model, run.dataset, run.device)))
    text.append(f"{one_line(made)}\n")
    left = seconds_left(run, pulse) if run.state == "running" else None
    told = [f"step {steps(run)}" if run.step else "", f"{number(pulse.pace)} steps/s" if pulse.pace else ""]
    told.append(f"{duration(left)} left" if left is not None else f"{ago(run.updated)}" if run.updated else "")
    text.append(", ".join(filter(None, told)) + "\n")
    if run.metric and run.last is not None:
        text.append(f"{run.metric} {number(run.last)}, best {number(run.best)}\n")
    if run.reason or why:
        text.append(f"{first_line(run.reason or why)}\n", "italic")
    elif run.state == "interrupted":
        text.append("its worker died; Enter, then r goes on from the last checkpoint\n", "italic")
    return text.append(run.id, "dim") if run.name else text


def course(run: Summary, pulse: Pulse, width: int, height: int) -> Text:
    """The course of the primary metric in so many cells; empty where there is no room or nothing to see."""
    values = thinned(pulse.trend, width)
    if len(values) < 2 or height < LEAST or width < 10:
        return Text()
    low, high = min(values), max(values)
    each = max(1, width // len(values))
    wide = [value for value in values for _ in range(each)]
    margin = 0.06 * (high - low)  # the lowest is a line that can be seen
    lines = bars(wide, low - margin, high, height - 1)
    head = f"{run.metric}  {number(low)} to {number(high)}, the last {len(pulse.trend)} values"
    return Text.assemble((head[:width], "dim"), "\n", ("\n".join(lines), "cyan"))


def of_task(entry: TaskEntry) -> Text:
    spec, default = entry.spec, entry.defaults["dataset"]
    text = Text()
    text.append(f"{spec.title}. ", "bold")
    text.append(f"{spec.summary}\n")
    text.append("default  ", "dim")
    text.append(", ".join(f"{part} {name}" for part, name in entry.defaults.items()) + "\n")
    text.append("data     ", "dim")
    names = sorted(entry.data, key=lambda name: (name != default, name))
    text.append("; ".join(f"{name}: {data_word(entry.data[name])}" for name in names) + "\n")
    for word, run in (("last", entry.last), ("best", entry.best)):
        if run is not None and not (word == "best" and run is entry.last):
            text.append(f"{word:9}", "dim")
            figure = f", {best(run)}" if run.best is not None else ""
            also = ", the best so far" if word == "last" and run is entry.best else ""
            text.append(f"{titled(run)}, {run.state}{figure}{also}\n")
    text.append("metric   ", "dim")
    text.append(f"{spec.metric}, {'higher' if spec.direction == 'max' else 'lower'} is better")
    text.append(f"   plugin {entry.plugin.name} {entry.plugin.version}".rstrip(), "dim")
    if (checked := read_record(entry.plugin)) is not None and checked.tier:
        text.append(f", {checked.words(entry.plugin)}", "dim")
    return text


def offers(parts: Mapping[str, Sequence[Spec]], width: int, room: int) -> Text:
    """What a task can be trained with, by kind of part, a line each in at most ``room``; empty where there is none."""
    names = max((len(spec.name) for specs in parts.values() for spec in specs), default=0)
    lines = []
    for part, specs in parts.items():
        for place, spec in enumerate(specs):
            label = f"{part if place == 0 else '':9}"
            summary = fitted(one_line(spec.summary), max(1, width - len(label) - names - 2))
            lines.append(Text.assemble((label, "dim"), f"{spec.name:{names}}  ", (summary, "dim")))
    if room < LEAST or not lines:
        return Text()
    if len(lines) > room:
        lines[room - 1 :] = [Text(f"{'':9}… {len(lines) - room + 1} more", "dim")]
    return Text("\n").join(lines)


def first_minute() -> Text:
    """In one line of 80."""
    text = Text("First minute:", "bold")
    for number_, (key, what) in enumerate(FIRST_MINUTE):
        text.append(" · " if number_ else " ").append(key, "bold").append(f" {what}")
    return text


def of_fault(fault: Fault) -> Text:
    plugin, rest = fault.plugin, "Whatever else it offers works." if fault.what else "The other plugins work."
    if fault.state == "undone":
        rest = "What it offers works."
    text = Text()
    text.append(f"Plugin {plugin.name} ({plugin.distribution} {plugin.version}) {became(fault)}.\n", "bold")
    text.append(f"{fault.reason}\n")
    text.append(f"Enter: {'the whole traceback' if fault.traceback else 'all of it'}. {rest}", "italic")
    return text


def became(fault: Fault) -> str:
    if fault.state == "undone":
        return "meddled with the process"
    return f"cannot offer {fault.what}" if fault.what else "is broken"


def fitted(text: str, width: int) -> str:
    """Cut where it is too wide, with a sign of that."""
    return text if cell_len(text) <= width else set_cell_size(text, width - 1) + "…"
