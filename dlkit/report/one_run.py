"""The report of one run: what came of it first, then how, then what is needed to make it again."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from dlkit import __version__
from dlkit.events import Finished, Notice, Retried
from dlkit.monitor.moments import Moment
from dlkit.present.commands import to_type
from dlkit.present.numbers import duration, grouped, number, when
from dlkit.present.spending import in_words
from dlkit.report import facts
from dlkit.report.blocks import Block, Document, Film, Grid, Listing, Part, Shot
from dlkit.report.curves import charts_of
from dlkit.report.reading import Told
from dlkit.report.verdicts import verdicts
from dlkit.runs.contents import load_sample
from dlkit.runs.labels import labels


def document(told: Told) -> Document:
    """All that is known of the run; parts of which nothing is known are left out."""
    parts: dict[str, Sequence[Block]] = {
        "Result": facts.measured(told),
        "Verdicts": verdicts(told),
        "Curves": charts_of(told.view, told.summary.metric),
        "Samples": films_of(told),
        "What happened": happened(told),
        "Data": facts.data(told),
        "Model": facts.model(told),
        "Configuration": facts.configuration(told),
        "Environment": facts.environment(told),
        "Make it again": facts.again(told),
    }
    shown = [Part(title, blocks) for title, blocks in parts.items() if blocks]
    return Document(told.called, lead(told), shown, f"{told.run.id}, written by dlkit {__version__}")


def lead(told: Told) -> list[str]:
    """What it is, how far it came, what came of it, what to do with it."""
    summary, view = told.summary, told.view
    percent = f", {summary.step / summary.total_steps:.0%}" if summary.step < summary.total_steps else ""
    how_far = f"step {grouped(summary.step)} of {grouped(summary.total_steps)}{percent}"
    reason = f" ({summary.reason})" if summary.reason else ""
    time = f" in {duration(summary.seconds)}" if summary.seconds else ""
    lines = [
        f"{told.title}: {summary.model} on {summary.dataset}",
        f"{summary.state}{reason}: {how_far}{time}{f' on {summary.device}' if summary.device else ''}",
    ]
    if summary.best is not None:
        lines.append(f"best {summary.metric} {number(summary.best)}{_where(told)}")
    tested = [record for record in view.evaluations if record.get("split") == "test"]
    bare = f"test/{summary.metric.partition('/')[2]}"
    if tested and bare in tested[-1].get("metrics", {}):
        lines.append(f"{bare} {number(tested[-1]['metrics'][bare])}. {facts.test_looks(told)}")
    if view.spent is not None:
        lines.append(f"its time: {in_words(view.spent)}")
    if summary.tags:
        lines.append(f"tagged {summary.tags.replace(' ', ', ')}")
    lines += [
        f"noted {when(entry.time, facts.MOMENT)} by {entry.by}: {entry.text}" for entry in labels(told.run.path).notes
    ]
    going = summary.state in ("running", "paused", "queued")
    word = f"watch {told.run.id}" if going else f"predict {told.run.id} INPUT"
    return [*lines, f"next: {to_type(told.run, word)}"]


def _where(told: Told) -> str:
    """At which step the best value was measured."""
    summary = told.summary
    if summary.metric not in told.view.names:
        return ""
    steps, values = told.view.series(summary.metric)
    known = np.isfinite(values)
    if not known.any():
        return ""
    values = np.where(known, values, np.inf if summary.direction == "min" else -np.inf)
    place = int(values.argmin() if summary.direction == "min" else values.argmax())
    return f" at step {grouped(int(steps[place]))}"


def films_of(told: Told) -> list[Film]:
    """Its samples by name, each through the training."""
    shots: dict[str, list[Shot]] = {}
    titles: dict[str, str] = {}
    for event in told.view.sampled:
        for ref in event.samples:
            titles[ref.name] = ref.title or ref.name
            shots.setdefault(ref.name, []).append(Shot(event.step, partial(load_sample, told.run, ref.file)))
    return [Film(name, titles[name], found) for name, found in shots.items()]


def happened(told: Told) -> list[Block]:
    """Settings changed, resumes, restarts, notices, the end; none where the end is all."""
    found: list[Moment] = [moment for moment in told.view.moments if moment.kind != "best"]
    traceback = ""
    for event in told.view.events:
        match event:
            case Notice():
                found.append(Moment(event.step, "notice", event.text))
            case Retried():
                found.append(Moment(event.step, "retried", f"started again ({event.attempt}): {event.reason}"))
            case Finished():
                traceback = event.traceback
    rows = [[moment.step, moment.kind, moment.text] for moment in sorted(found, key=lambda moment: moment.step)]
    blocks: list[Block] = [Grid(("step", "", "what"), rows)] if rows else []
    return [*blocks, Listing(traceback.rstrip())] if traceback else blocks
