"""Runs of a list taken together by what they have in common: a task, a model, a study, a setting."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import product
from typing import NamedTuple

from dlkit.monitor.home import how_they_ended
from dlkit.monitor.run_columns import NONE, field_of, words_of
from dlkit.monitor.run_query import Options
from dlkit.present.numbers import counted, number
from dlkit.runs.folder import Summary

_ALIVE = ("running", "paused", "queued", "foreign")


class RunGroup(NamedTuple):
    """``values`` by the keys that it was made by, in words, empty where the runs have none; ``runs`` in the order of
    the list."""

    values: Mapping[str, str]
    runs: Sequence[Summary]

    @property
    def id(self) -> str:
        """The same for the same values, whichever runs there are."""
        return ",".join(f"{key}={value}" for key, value in self.values.items())

    @property
    def title(self) -> str:
        """``classification``, ``no study``; of several keys ``task toy, lr 0.1``."""
        if len(self.values) == 1:
            (key, value), = self.values.items()  # fmt: skip
            return value or f"no {key}"
        return ", ".join(f"{key} {value or '-'}" for key, value in self.values.items())

    @property
    def best(self) -> Summary | None:
        """The run with the best value; None where runs have several metrics, or none has a finite value."""
        there = [run for run in self.runs if run.best is not None and math.isfinite(run.best)]
        if len({(run.task, run.metric, run.direction) for run in there}) != 1 or not there[0].direction:
            return None
        better = min if there[0].direction == "min" else max
        return better(there, key=lambda run: run.best or 0.0)

    @property
    def states(self) -> str:
        """``1 running, 2 completed``: who lives first, then as they ended."""
        counts = {state: sum(run.state == state for run in self.runs) for state in _ALIVE}
        alive = [f"{count} {state}" for state, count in counts.items() if count]
        return ", ".join([*alive, *filter(None, [how_they_ended(self.runs)])])

    @property
    def about(self) -> str:
        """``12 runs: 10 completed, 2 failed; best accuracy 0.982``."""
        top = self.best
        best = f"; best {top.metric.rpartition('/')[2]} {number(top.best)}" if top is not None else ""
        states = f": {self.states}" if self.states else ""
        return f"{counted(len(self.runs), 'run')}{states}{best}"


def in_groups(
    runs: Sequence[Summary], keys: Sequence[str], options: Mapping[str, Options] | None = None
) -> list[RunGroup]:
    """By fields of the list, metrics or options (``options`` by run's id), in the order of the first run of each. A run
    of several tags is in the group of each."""
    found: dict[tuple[str, ...], list[Summary]] = {}
    for run in runs:
        several = [_words(run, key, (options or {}).get(run.id, NONE)) for key in keys]
        for values in product(*several):
            found.setdefault(values, []).append(run)
    return [RunGroup(dict(zip(keys, values, strict=True)), members) for values, members in found.items()]


def _words(run: Summary, key: str, options: Options) -> Sequence[str]:
    """What a run is grouped under by one key."""
    return (run.tags.split() or [""]) if field_of(key) == "tags" else [words_of(run, key, options)]
