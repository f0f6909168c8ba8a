"""The report of a study: what may be said of its settings, the table that it rests on, how it went."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterator, Sequence

import numpy as np

from dlkit import __version__
from dlkit.catalog import Catalog
from dlkit.errors import RunError
from dlkit.monitor.means import Together
from dlkit.present.numbers import counted, duration, number, when
from dlkit.report import facts
from dlkit.report.blocks import Block, Chart, Charts, Document, Facts, Grid, Line, Listing, Part, Words
from dlkit.report.reading import Told, read
from dlkit.report.several import mean_chart
from dlkit.runs.folder import RunFolder
from dlkit.studies.importance import importance
from dlkit.studies.reading import ways
from dlkit.studies.results import Results, Row, best_so_far
from dlkit.studies.telling import answer, columns, headline, looks_at_test
from dlkit.studies.waking import run_of
from dlkit.studies.wording import label, words

MOST_SETTINGS = 7
"""Settings whose curves are drawn: as many as there are colours."""
_BAR = 30


def document(found: Results, catalog: Catalog) -> Document:
    """The answer is ``dlkit study show``'s, word for word."""
    headers, rows = columns(found)
    strong = frozenset(
        (y, x) for y, row in enumerate(found.rows) if row.standing == "winner" for x in range(len(headers))
    )
    parts: dict[str, Sequence[Block]] = {
        "Settings": [Grid(headers, rows, strong), *_seeds(found)],
        "Curves": _curves(found, catalog),
        "What matters": _importance(found),
        "Trials": [_trials(found)],
        "How it was made": _made(found),
    }
    shown = [Part(title, blocks) for title, blocks in parts.items() if blocks]
    lead = [headline(found), *_task(found, catalog), answer(found), *looks_at_test(found), *found.remarks]
    name = found.question.name or found.study.id
    return Document(name, lead, shown, f"{found.study.id}, written by dlkit {__version__}")


def _task(found: Results, catalog: Catalog) -> Iterator[str]:
    better = "higher" if found.question.direction == "max" else "lower"
    titles = [spec.title for spec in catalog.specs("task") if spec.name == found.question.task]
    yield f"{(titles or [found.question.task])[0]}: {', '.join(map(label, found.keys)) or 'one setting'} varied, " \
          f"judged by {found.question.metric} ({better} is better)"  # fmt: skip


def _seeds(found: Results) -> Iterator[Block]:
    if any(row.mean and row.mean.half is not None for row in found.rows):
        yield Words("mean ± 95 % t-interval over the seeds; behind: how much better the best is, over the seeds that "
                    "both have", quiet=True)  # fmt: skip


def _curves(found: Results, catalog: Catalog) -> list[Block]:
    """The primary metric of the best settings, each the mean of its runs; and the best result so far."""
    rows = [row for row in found.rows if row.mean is not None][:MOST_SETTINGS]
    groups, runs = [], list[Told]()
    for row in rows:
        there = list(_readable(found, row, catalog))
        groups.append(Together(words(row.values, found.keys) or "all", tuple(range(len(runs), len(runs) + len(there)))))
        runs += there
    charts = [mean_chart(runs, groups, found.question.metric)] if runs else []
    seconds, values = best_so_far(found)
    if len(values) > 1:
        line = Line(f"best {found.question.metric}", np.asarray(seconds), np.asarray(values))
        charts.append(Chart("best so far", [line], "seconds"))
    left = len([row for row in found.rows if row.mean is not None]) - len(rows)
    more = [Words(f"The curves of {counted(left, 'more setting')} are left out.", quiet=True)] if left > 0 else []
    return [Charts(charts), *more] if charts else []


def _readable(found: Results, row: Row, catalog: Catalog) -> Iterator[Told]:
    """Those of a setting's runs that are still there."""
    for trial in row.trials:
        run: RunFolder = run_of(found.study, trial)
        try:
            yield read(run, catalog)
        except RunError:
            continue


def _importance(found: Results) -> list[Block]:
    matters = importance(found)
    if len(found.rows) < 3 or not matters.shares:
        return []
    rows = [[label(key), "█" * round(_BAR * share), f"{share:.0%}"] for key, share in matters.shares.items()]
    text = f"What settings differ by: each option's share ({matters.by})."
    through = ways(found, matters)
    return [Grid(("option", "", "share"), rows), Words(text, quiet=True), *([through] if through else [])]


def _trials(found: Results) -> Grid:
    trials = sorted((trial for row in found.rows for trial in row.trials), key=lambda trial: trial.number)
    rows = [
        [t.number, t.setting, t.seed, t.state, _finite(t.best), duration(t.seconds) if t.seconds else "", t.run]
        for t in trials
    ]
    headers = ("trial", "setting", "seed", "state", found.question.metric, "time", "run")
    return Grid(headers, rows, folded=counted(len(rows), "trial"))


def _finite(value: float | None) -> str:
    return number(value) if value is not None and math.isfinite(value) else ""


def _made(found: Results) -> list[Block]:
    question = found.question
    rows = {
        "began": when(question.created, facts.MOMENT),
        "varied": " · ".join(question.vary),
        "search": " ".join(part for part in (question.search, question.sampler) if part),
        "pruned by": question.prune,
    }
    return [Facts(rows), *([Listing(_typed(question.command))] if question.command else [])]


def _typed(command: Sequence[str]) -> str:
    """As somebody would type it: without where dlkit lies on the machine that it was typed on."""
    return shlex.join(["dlkit", *command[1:]])
