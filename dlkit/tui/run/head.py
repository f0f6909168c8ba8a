"""The lines above a run's panes: what it is, how far it is, how good it is, and what can be done if it is not well."""

from __future__ import annotations

import math
from collections.abc import Mapping
from textwrap import wrap

import numpy as np
from rich.cells import cell_len, set_cell_size
from rich.text import Text
from textual.widget import Widget

from dlkit.events import Commanded, Notice, Preparing, likely_end
from dlkit.monitor.view import RunView
from dlkit.present.events import describe_preparing, loss_names
from dlkit.present.numbers import ago, counted, duration, number
from dlkit.present.runs import BRANCH
from dlkit.runs.own import FOREIGN
from dlkit.tui.shared.words import state_cell

LIVE = ("running", "paused")


class RunHead(Widget):
    """Three lines, one or two more for a run that is not well, one for the worst that can be said of it; ``show`` has
    them drawn again."""

    DEFAULT_CSS = "RunHead { height: auto; min-height: 3; max-height: 6; padding: 0 1; background: $surface; }"

    def __init__(self) -> None:
        super().__init__()
        self._view: RunView | None = None
        self._below = ("", "")

    def show(self, view: RunView, verdict: str = "") -> None:
        self._view = view
        before, self._below = self._below, (what_now(view), verdict)
        self.refresh(layout=before != self._below)

    def render(self) -> Text:
        if self._view is None:
            return Text("reading …", style="dim")
        return Text("\n").join(headlines(self._view, self.content_size.width, self._below[1]))


def headlines(view: RunView, width: int, verdict: str = "") -> list[Text]:
    """The lines, each no wider than ``width``."""
    lines = [_what(view), _progress(view, width), _quality(view)]
    trouble = what_now(view)
    style = "none" if view.state == "completed" else "bold yellow"
    for line in wrap(trouble, max(1, width), max_lines=2, placeholder=" …"):
        lines.append(Text().append(line, style=style))
    if verdict:
        lines.append(_verdict(verdict, width))
    return [_cut(line, width) for line in lines]


WHY = "  W: why"


def _verdict(text: str, width: int) -> Text:
    """As much of it as fits, and the key that tells the rest."""
    room = width - cell_len(WHY)
    if cell_len(text) > room > 1:
        text = set_cell_size(text, room - 1).rstrip() + "…"
    return Text().append(text, style="bold").append(WHY, style="none")


def part(record: Mapping[str, object], name: str) -> str:
    """The name of one of the run's components; empty if run.json does not say."""
    parts = record.get("components")
    made = parts.get(name) if isinstance(parts, Mapping) else None
    return str(made.get("name", "")) if isinstance(made, Mapping) else ""


def best_value(view: RunView, metric: str) -> float | None:
    """The best finite value of a metric so far, by the direction that run.json names."""
    try:
        values = view.series(metric).values
    except KeyError:
        return None
    finite = values[np.isfinite(values)]
    if not len(finite):
        return None
    return float(finite.max() if view.record.get("direction") == "max" else finite.min())


def what_now(view: RunView) -> str:
    """Why it is as it is, and the key that goes on; what of its log is not shown; empty for a run that is well."""
    lost = f"{counted(view.damaged, 'damaged line')} of events.jsonl left out" if view.damaged else ""
    return "; ".join(filter(None, (_why(view), lost)))


def _why(view: RunView) -> str:
    state, reason = view.state, str(view.record.get("reason") or "")
    if not reason and view.finished is not None and state == view.finished.status:
        reason = view.finished.reason
    said = reason if state not in LIVE else ""
    kept = view.checkpoints[-1].step if view.checkpoints else 0
    goes_on = f"r goes on from step {kept}" if kept else "no checkpoint yet: r begins again"
    match state:
        case "failed" | "stopped":
            return f"{said or state}; {goes_on}"
        case "interrupted":
            return f"{said or 'its worker died'}; {goes_on}"
        case "foreign":
            return f"{FOREIGN.partition(':')[0]}: r starts it without what could do harm, and says what that is"
        case "damaged":
            return "run.json cannot be read; what else is in the folder is shown"
        case "removed":
            return "the folder is gone; escape goes back"
        case "queued":
            return "waits for its turn: 3 shows the queue, x takes it out" if _in_queue(view) else "is being started"
        case _ if state.endswith("(newer format)"):
            return "written by a newer dlkit: shown as far as this one understands it"
        case _ if state.startswith("unknown"):
            return f"runs on {view.record.get('host')}: whether it still lives cannot be known here"
    return said


def _in_queue(view: RunView) -> bool:
    job = view.record.get("job")
    return isinstance(job, Mapping) and bool(job.get("queued"))


def _what(view: RunView) -> Text:
    word, style = state_cell(view.state or "?")
    text = Text().append(word, style=f"bold {style}".strip())
    record = view.record
    made = " · ".join(filter(None, (str(record.get("task", "")), part(record, "model"), part(record, "dataset"))))
    name = str(record.get("name") or "")
    where = str(record.get("device") or "")
    text.append(f"  {name}" if name else "", style="bold")
    if origin := record.get("forked_from"):
        parent = origin.get("id", "").rpartition("-")[2]
        text.append(f"  {BRANCH} {parent}@{origin.get('step', 0)}", style="none")
    for piece in (made, where):
        text.append(f"  {piece}" if piece else "", style="none")
    return text


def _progress(view: RunView, width: int) -> Text:
    if not view.step and not view.total_steps:
        return Text("no steps yet", style="dim")
    live, total = view.state in LIVE, view.total_steps
    if live and (preparing := preparation(view)):
        words = describe_preparing(preparing)
        return Text(f"{bar(preparing.done, preparing.total, min(30, width - cell_len(words) - 2))}{words}")
    ends = likely_end(total, view.step, view.pace, view.time_left) if live else total
    parts = [f"step {view.step}/{total}" if total else f"step {view.step}"]
    if view.epoch or view.step:
        parts.append(f"epoch {view.epoch + 1}")
    if live and view.pace > 0:
        parts.append(f"{number(view.pace)} steps/s")
    if view.state == "running" and view.pace > 0 and total > view.step:
        parts.append(f"{duration((ends - view.step) / view.pace)} left")
    elif view.finished is not None and not live:
        parts.append(f"took {duration(view.finished.seconds)}")
    if view.updated and not live:
        parts.append(ago(view.updated))
    words = "  ".join(parts)
    return Text(f"{bar(view.step, ends, min(30, width - cell_len(words) - 2))}{words}")


def preparation(view: RunView) -> Preparing | None:
    """What the run is at, if its splits are still being made ready."""
    last = next((event for event in reversed(view.events) if not isinstance(event, Notice | Commanded)), None)
    return last if isinstance(last, Preparing) and last.done < last.total else None


def bar(step: int, total: int, width: int) -> str:
    """``█████─────  42 %  ``, at most ``width`` cells, none if that is too few."""
    cells = width - 8
    if cells < 4 or total <= 0:
        return ""
    share = max(0.0, min(1.0, step / total))
    full = math.floor(share * cells)
    return f"{'█' * full}{'─' * (cells - full)} {math.floor(100 * share):3d} %  "


def _quality(view: RunView) -> Text:
    metric = str(view.record.get("metric") or "")
    text = Text()
    if metric in view.metrics:
        text.append(f"{metric} {number(view.metrics[metric])}, best {number(best_value(view, metric))}", style="bold")
    for name in loss_names(view.metrics):
        text.append(f"{'  ' if text else ''}{name} {number(view.metrics[name])}")
    return text


def _cut(text: Text, width: int) -> Text:
    """One line of at most so many cells, whatever a name in it holds."""
    text.no_wrap = True
    text.plain = text.plain.translate({ord("\n"): " ", ord("\t"): " "})  # as long as before: styles stay in place
    if width > 0 and cell_len(text.plain) > width:
        keep = set_cell_size(text.plain, width - 1).rstrip()
        text = text[: len(keep)]
        text.append("…")
    return text
