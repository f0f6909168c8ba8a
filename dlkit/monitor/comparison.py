"""Runs side by side: the settings they differ in and share, what they came to, and which of them came off best."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from dlkit.present.runs import change
from dlkit.runs.contents import flatten, stored_values
from dlkit.runs.folder import RunFolder, Summary, summarise
from dlkit.runs.groups import Mean, mean
from dlkit.runs.outcomes import best, direction, finals, other_data
from dlkit.runs.run_record import ForkedFrom


@dataclass(frozen=True)
class Outcome:
    """One metric: a value a run (None: it has none), the index of the best (None: unknown which way is better)."""

    values: Sequence[float | None]
    best: int | None


class GroupOutcome(NamedTuple):
    """One metric over groups of runs: a mean a group (None: no run of it has one), the index of the best."""

    means: Sequence[Mean | None]
    best: int | None


@dataclass(frozen=True)
class Comparison:
    """``settings`` and ``shared`` are dotted keys of config.toml; those in ``settings`` have a value a run, None where
    it is not set."""

    summaries: Sequence[Summary]
    settings: Mapping[str, Sequence[object]]
    shared: Mapping[str, object]
    metrics: Mapping[str, Outcome]
    data_remarks: Sequence[str] = ()
    branches: Sequence[str] = ()
    """Which of the runs branched off from which, and with what."""

    @property
    def remarks(self) -> list[str]:
        """What a reader should know before believing the rest, a line each."""
        damaged = [s for s in self.summaries if s.state == "damaged"]
        newer = [s.id for s in self.summaries if s.state.endswith("(newer format)")]
        found = [*self.branches, *self.data_remarks]
        if damaged:
            reason = f" ({damaged[0].reason})" if len(damaged) == 1 else ""
            found.append(f"damaged: {', '.join(s.id for s in damaged)}{reason}")
        if newer:
            found.append(f"written by a newer dlkit: {', '.join(newer)}")
        tasks = dict.fromkeys(s.task for s in self.summaries if s.task)
        if len(tasks) > 1:
            found.append(f"different tasks ({', '.join(tasks)}): equal names need not mean equal things")
        return found


def compare(runs: Sequence[RunFolder]) -> Comparison:
    """What the folders say now; a damaged run takes part as far as it can be read."""
    summaries = [summarise(run) for run in runs]
    configurations = [flatten(stored_values(run)) for run in runs]
    readable = [values for values in configurations if values]
    differing = _differing(configurations)
    shared = {key: value for key, value in (readable[0] if readable else {}).items() if key not in differing}
    changed = other_data(dict(zip(runs, configurations, strict=True)))
    return Comparison(summaries, differing, shared, _metrics(runs, summaries), changed, list(_branches(runs)))


def _branches(runs: Sequence[RunFolder]) -> Iterator[str]:
    """What differs since the branch, of runs that have one in common; of others their settings say it."""
    origins = {run.id: origin for run in runs if (origin := _origin(run)) is not None}
    shared = Counter([*(run.id for run in runs), *dict.fromkeys(origin.get("id", "") for origin in origins.values())])
    siblings = Counter(origin.get("id", "") for origin in origins.values())
    for name, origin in origins.items():
        parent = origin.get("id", "")
        if shared[parent] > 1 or siblings[parent] > 1:
            since = ", ".join(change(key, pair) for key, pair in origin.get("changes", {}).items())
            yield f"{name} is {parent} up to step {origin.get('step')}; since then: {since or 'nothing changed'}"


def _origin(run: RunFolder) -> ForkedFrom | None:
    try:
        return run.read().get("forked_from")
    except (OSError, ValueError):
        return None


def of_groups(found: Comparison, groups: Sequence[Sequence[int]]) -> dict[str, GroupOutcome]:
    """Each metric over groups of runs, by their places: of all runs that have it, whatever state they are in."""
    outcomes = {}
    for name, outcome in found.metrics.items():
        values = [[value for place in places if (value := outcome.values[place]) is not None] for places in groups]
        means = [mean(several) if several else None for several in values]
        first = best([one.mean if one is not None else None for one in means], direction(name, found.summaries))
        outcomes[name] = GroupOutcome(means, first)
    return outcomes


def _differing(configurations: Sequence[Mapping[str, object]]) -> dict[str, list[object]]:
    """Of runs without a readable configuration nothing is known, so they differ in nothing."""
    keys = dict.fromkeys(key for values in configurations for key in values)
    columns = {key: [values.get(key) for values in configurations] for key in keys}
    known = [i for i, values in enumerate(configurations) if values]
    return {key: column for key, column in columns.items() if any(column[i] != column[known[0]] for i in known)}


def _metrics(runs: Sequence[RunFolder], summaries: Sequence[Summary]) -> dict[str, Outcome]:
    """Those of the best evaluation, and the last ones on record of other splits."""
    columns = [finals(run, summary) for run, summary in zip(runs, summaries, strict=True)]
    names = dict.fromkeys(name for column in columns for name in column if name.count("/") < 2)
    found = {}
    for name in names:
        values = [column.get(name) for column in columns]
        found[name] = Outcome(values, best(values, direction(name, summaries)))
    return found
