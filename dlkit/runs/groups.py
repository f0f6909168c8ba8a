"""Runs of equal settings but for the seed, taken together: a mean of each metric, and how far to trust it."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from dlkit.errors import UsageError, listed, nearest
from dlkit.runs.contents import flatten, stored_values
from dlkit.runs.folder import RunFolder, Summary, summarise
from dlkit.runs.outcomes import best, direction, finals, other_data

INTERVAL = "95 % t-interval of the mean"
SEED = "engine.seed"
_Z = 1.959963984540054
_FEW = (12.706205, 4.302653, 3.182446, 2.776445, 2.570582, 2.446912, 2.364624, 2.306004, 2.262157, 2.228139)
"""Student's t: the 0.975 quantile by degrees of freedom, from 1."""


@dataclass(frozen=True)
class Mean:
    """A metric over a group's ``n`` runs that have it. ``mean ± half`` is the 95 % t-interval of the mean; ``half`` is
    None where ``n`` is 1, since one run says nothing of the spread. ``std`` is that of a sample (n − 1)."""

    n: int
    mean: float
    half: float | None
    std: float | None


@dataclass(frozen=True)
class Group:
    """Runs of equal ``settings``, and what they came to; ``best`` is the run with the best primary metric."""

    settings: Mapping[str, object]
    runs: Sequence[str]
    seeds: Sequence[object]
    metrics: Mapping[str, Mean]
    best: str | None


@dataclass(frozen=True)
class Groups:
    """The groups, the best first: that of the best mean of ``metric``, which is the task's primary one.

    ``left_out`` are runs that are not completed, each with its state: their metrics would not be of the same thing.
    ``remarks`` say what a reader should know before believing the rest.
    """

    keys: Sequence[str]
    metric: str
    groups: Sequence[Group]
    left_out: Mapping[str, str]
    remarks: Sequence[str]

    @property
    def best(self) -> str | None:
        """The id of the best run of the best group."""
        return self.groups[0].best if self.groups else None


def grouped(runs: Sequence[RunFolder], keys: Sequence[str]) -> Groups:
    """Completed runs by their values of ``keys``: ``model.name``, ``trainer.lr``; ``model``, ``lr`` where that means
    one setting alone. UsageError for a key that no run has, and for runs of several tasks."""
    summaries = {run: summarise(run) for run in runs}
    done = [run for run, summary in summaries.items() if summary.state == "completed"]
    configurations = {run: flatten(stored_values(run)) for run in done}
    _check_task([summaries[run] for run in done])
    keys = _settings(keys, configurations.values())
    members: dict[tuple[str, ...], list[RunFolder]] = {}
    for run in done:
        members.setdefault(tuple(repr(configurations[run].get(key)) for key in keys), []).append(run)
    metric = next((summaries[run].metric for run in done), "")
    which = direction(metric, summaries.values())
    made = [_group(found, keys, summaries, configurations, metric, which) for found in members.values()]
    return Groups(
        keys,
        metric,
        _ranked(made, metric, which),
        {run.id: summary.state for run, summary in summaries.items() if run not in configurations},
        [*other_data(configurations), *_repeated_seeds(made), *_mixed(members.values(), keys, configurations)],
    )


def _settings(keys: Sequence[str], configurations: Iterable[Mapping[str, object]]) -> list[str]:
    """The keys in full; UsageError for one that no run has."""
    known = set(chain.from_iterable(configurations))
    return list(dict.fromkeys(_in_full(key, known) for key in keys)) if known else list(keys)


def _in_full(key: str, known: Collection[str]) -> str:
    if key in known:
        return key
    meant = [name for name in known if name == f"{key}.name" or name.endswith(f".{key}")]
    if len(meant) != 1:
        raise UsageError(f"no run has a setting {key!r}: {nearest(key, known)}")
    return meant[0]


def _check_task(summaries: Iterable[Summary]) -> None:
    tasks = sorted({summary.task for summary in summaries})
    if len(tasks) > 1:
        raise UsageError(f"runs of several tasks ({', '.join(tasks)}): their metrics do not mean the same")


def _group(
    runs: Sequence[RunFolder],
    keys: Sequence[str],
    summaries: Mapping[RunFolder, Summary],
    configurations: Mapping[RunFolder, Mapping[str, object]],
    metric: str,
    which: str,
) -> Group:
    came_to = [finals(run, summaries[run]) for run in runs]
    names = dict.fromkeys(name for metrics in came_to for name in metrics if name.count("/") < 2)
    first = best([metrics.get(metric) for metrics in came_to], which)
    return Group(
        {key: configurations[runs[0]].get(key) for key in keys},
        [run.id for run in runs],
        [configurations[run].get(SEED) for run in runs],
        {name: mean([metrics[name] for metrics in came_to if name in metrics]) for name in names},
        runs[first].id if first is not None else None,
    )


def mean(values: Sequence[float]) -> Mean:
    """Of one value or more, with its interval; where one is not finite, neither is the mean."""
    n, middle = len(values), math.fsum(values) / len(values)
    if len(set(values)) == 1:  # dividing rounds, and equal values would spread by 1e-16
        middle = values[0]
    if n == 1 or not math.isfinite(middle):
        return Mean(n, middle, None, None)
    std = math.sqrt(math.fsum((value - middle) ** 2 for value in values) / (n - 1))
    return Mean(n, middle, t_quantile(n - 1) * std / math.sqrt(n), std)


def t_quantile(degrees: int) -> float:
    """Student's t at 0.975: by table up to 10 degrees of freedom, then by Abramowitz and Stegun 26.7.5 (to 1e-5)."""
    if degrees <= len(_FEW):
        return _FEW[degrees - 1]
    z, v = _Z, float(degrees)
    return (
        z
        + (z**3 + z) / (4 * v)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * v**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * v**3)
        + (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / (92160 * v**4)
    )


def _ranked(groups: Sequence[Group], metric: str, which: str) -> list[Group]:
    """The best mean first; groups without a finite one last, in the order they came in."""

    def place(group: Group) -> tuple[bool, float]:
        found = group.metrics.get(metric)
        if found is None or not math.isfinite(found.mean):
            return True, 0.0
        return False, -found.mean if which == "max" else found.mean

    return sorted(groups, key=place)


def _repeated_seeds(groups: Sequence[Group]) -> list[str]:
    """Where several runs of one group have one seed: they are not as many independent values."""
    found = [group for group in groups if len(set(map(repr, group.seeds))) < len(group.seeds)]
    lines = [f"  {', '.join(group.runs)}: seeds {', '.join(map(str, group.seeds))}" for group in found]
    head = "runs of one group share a seed, so that the interval is narrower than it should be"
    return [listed(head, lines)] if lines else []


def _mixed(
    members: Iterable[Sequence[RunFolder]],
    keys: Sequence[str],
    configurations: Mapping[RunFolder, Mapping[str, object]],
) -> list[str]:
    """Where runs of one group differ in more than their seed: the spread is not the seed's alone."""
    found: dict[str, None] = {}
    for runs in members:
        settings = [configurations[run] for run in runs]
        for key in dict.fromkeys(chain.from_iterable(settings)):
            if key != SEED and key not in keys and any(s.get(key) != settings[0].get(key) for s in settings):
                found[key] = None
    return [f"runs of one group differ in more than the seed: {', '.join(found)}"] if found else []
