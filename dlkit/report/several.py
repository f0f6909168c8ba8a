"""The report of several runs: which came off best, what they differ in, their curves over one another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from dlkit import __version__
from dlkit.monitor.comparison import Comparison, compare
from dlkit.monitor.means import BUT_SEED, Together, together
from dlkit.present.numbers import counted, duration, number
from dlkit.report import facts
from dlkit.report.blocks import Block, Chart, Charts, Document, Film, Grid, Line, Part, Words
from dlkit.report.curves import MOST, UNFOLDED, grouped_names, line_of, wide
from dlkit.report.one_run import films_of
from dlkit.report.reading import Told, setting
from dlkit.runs.courses import mean_course
from dlkit.studies.wording import label

MOST_FILMS = 24
"""Of many runs the samples of the first would leave no room for those of the others."""


def document(runs: Sequence[Told]) -> Document:
    """Runs in the order in which they were named."""
    found = compare([told.run for told in runs])
    names = names_of(runs)
    parts: dict[str, Sequence[Block]] = {
        "Runs": [_listed(runs, names, found)],
        "Settings that differ": _settings(names, found),
        "Results": _results(names, found),
        "Curves": curves_of(runs, names, found),
        "Samples": _films(runs, names),
        "Make them again": [block for told in runs for block in facts.again(told)[:1]],
    }
    shown = [Part(title, blocks) for title, blocks in parts.items() if blocks]
    lead = [_what(runs), *_best(names, found), *found.remarks]
    return Document(f"{counted(len(runs), 'run')} compared", lead, shown, f"written by dlkit {__version__}")


def names_of(runs: Sequence[Told]) -> list[str]:
    """What each is called in tables and legends: names, where they tell the runs apart, else the ends of ids."""
    called = [told.called for told in runs]
    if len(set(called)) == len(called) and all(told.summary.name for told in runs):
        return called
    return [(told.summary.name and f"{told.summary.name} ({told.run.id[-4:]})") or told.run.id[-9:] for told in runs]


def _what(runs: Sequence[Told]) -> str:
    titles = dict.fromkeys(told.title for told in runs)
    sets = dict.fromkeys(told.summary.dataset for told in runs)
    models = dict.fromkeys(told.summary.model for told in runs)
    return f"{', '.join(titles)}: {', '.join(models)} on {', '.join(sets)}"


def _best(names: Sequence[str], found: Comparison) -> list[str]:
    """Who is best by the primary metric; nothing where they have none in common."""
    metrics = {summary.metric for summary in found.summaries if summary.metric}
    metric = metrics.pop() if len(metrics) == 1 else ""
    outcome = found.metrics.get(metric)
    if outcome is None or outcome.best is None:
        return ["No run can be called the best: they have no primary metric in common, or no value of it."]
    return [f"best {metric}: {names[outcome.best]}, {number(outcome.values[outcome.best])}"]


def _listed(runs: Sequence[Told], names: Sequence[str], found: Comparison) -> Grid:
    rows = [
        [name, s.state, s.model, s.dataset, s.step, duration(s.seconds) if s.seconds else "", told.run.id]
        for name, s, told in zip(names, found.summaries, runs, strict=True)
    ]
    return Grid(("run", "state", "model", "data set", "steps", "time", "id"), rows)


def _settings(names: Sequence[str], found: Comparison) -> list[Block]:
    if not found.settings:
        return [Words("They have the same settings.")]
    rows = [[key, *("" if v is None else setting(v) for v in values)] for key, values in found.settings.items()]
    return [Grid(("option", *names), rows)]


def _results(names: Sequence[str], found: Comparison) -> list[Block]:
    rows, strong = [], set()
    for place, (metric, outcome) in enumerate(found.metrics.items()):
        rows.append([metric, *outcome.values])
        if outcome.best is not None and sum(value is not None for value in outcome.values) > 1:
            strong.add((place, outcome.best + 1))
    return [Grid(("metric", *names), rows, frozenset(strong))] if rows else []


def curves_of(runs: Sequence[Told], names: Sequence[str], found: Comparison) -> list[Block]:
    """A chart a metric, a line a run; where runs differ in nothing but the seed, their means come first."""
    ordered = metrics_of(runs, found)[:MOST]
    groups = named_briefly(together(found.settings, len(runs), BUT_SEED), found.settings)
    blocks: list[Block] = []
    if any(len(group.places) > 1 for group in groups) and ordered:
        means = [mean_chart(runs, groups, name) for name in ordered[:2]]
        blocks += [Words("Mean over the runs that differ in nothing but the seed, and one standard deviation."),
                   Charts(means), Words("Every run by itself:")]  # fmt: skip
    charts = [run_chart(runs, names, metric) for metric in ordered]
    blocks += [Charts(charts[:UNFOLDED])] if charts else []
    folded = charts[UNFOLDED:]
    return [*blocks, Charts(folded, counted(len(folded), "more curve"))] if folded else blocks


def metrics_of(runs: Sequence[Told], found: Comparison) -> list[str]:
    """Main metrics that any run has, the primary one first."""
    metrics = dict.fromkeys(name for told in runs for name in told.view.names if name.count("/") < 2)
    primary = next((summary.metric for summary in found.summaries if summary.metric), "")
    return [name for group in grouped_names(list(metrics), primary).values() for name in group]


def named_briefly(groups: Sequence[Together], settings: Mapping[str, Sequence[object]]) -> list[Together]:
    """The same, called by as few settings as tell them apart: the components, or one option; else by all of them."""
    ways = [[key for key in settings if key.endswith(".name")], *([key] for key in settings)]
    for keys in ways:
        names = [
            ", ".join(f"{label(key)} {setting(settings[key][group.places[0]])}" for key in keys) for group in groups
        ]
        if keys and len(set(names)) == len(groups):
            return [Together(name, group.places) for name, group in zip(names, groups, strict=True)]
    return list(groups)


def mean_chart(runs: Sequence[Told], groups: Sequence[Together], metric: str) -> Chart:
    """A line a group, with its band."""
    lines = []
    for group in groups:
        there = [runs[place].view for place in group.places if metric in runs[place].view.names]
        course = mean_course([view.series(metric) for view in there])
        low, high = (np.where(np.isfinite(edge), edge, course.mean) for edge in (course.low, course.high))
        lines.append(Line(f"{group.name} (n = {len(there)})", course.x, course.mean, low, high))
    return Chart(metric, lines, log=wide([line.y for line in lines]))


def run_chart(runs: Sequence[Told], names: Sequence[str], metric: str) -> Chart:
    """A line a run that has the metric."""
    there = [(name, told.view) for name, told in zip(names, runs, strict=True) if metric in told.view.names]
    lines = [line_of(view, metric, name) for name, view in there]
    return Chart(metric, lines, log=wide([line.y for line in lines]))


def _films(runs: Sequence[Told], names: Sequence[str]) -> list[Block]:
    """The same sample of all runs below one another."""
    by_name: dict[str, list[Film]] = {}
    for called, told in zip(names, runs, strict=True):
        for film in films_of(told):
            by_name.setdefault(film.name, []).append(Film(film.name, f"{called}: {film.title}", film.shots))
    films = [film for found in by_name.values() for film in found]
    left = len(films) - MOST_FILMS
    notes = [Words(f"{counted(left, 'more sample')}: dlkit report RUN has those of one run", quiet=True)]
    return [*films[:MOST_FILMS], *(notes if left > 0 else [])]
