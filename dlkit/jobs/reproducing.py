"""Training a run again from its record, beside it, and comparing every value until one differs."""

from __future__ import annotations

import math
import socket
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dlkit.catalog import Catalog
from dlkit.config import Layer, Resolved
from dlkit.data.context import make_context, silent
from dlkit.errors import RunError, UsageError
from dlkit.events import Commanded, Event, MetricsLogged, Resumed, Started
from dlkit.jobs.forking import plan
from dlkit.runs.checkpoints import Checkpoint, choose, complete
from dlkit.runs.commands import somebody
from dlkit.runs.environment import kept, otherwise
from dlkit.runs.folder import RunFolder
from dlkit.runs.log import every_event, read_events
from dlkit.runs.reproductions import Reproduction, record
from dlkit.runs.run_record import RunRecord
from dlkit.runs.stored import readable, stored_config

if TYPE_CHECKING:
    from dlkit.engine.attempt import Attempt
    from dlkit.engine.signals import StopSignals

Say = Callable[[str], None]
Values = Mapping[tuple[str, int], float]


class Plan(NamedTuple):
    """``begin``: the checkpoint that is gone on from, None from the start; ``until``: the last step."""

    run: RunFolder
    record: RunRecord
    begin: Checkpoint | None
    until: int
    threads: int | None = None

    @property
    def first(self) -> int:
        return self.begin.step if self.begin is not None else 0


def plan_again(run: RunFolder, *, begin: str = "", until: int | None = None, threads: int | None = None) -> Plan:
    """What is to be trained again: all of a run up to its last checkpoint, unless something else is said.

    UsageError: there is no such checkpoint, nothing lies between, or several processes trained it; RunError: what it
    began with is gone.
    """
    told = readable(run)
    if told.get("processes", 1) != 1:
        raise UsageError(f"{run.id} was trained by {told['processes']} processes: a run of one alone is trained again")
    found = choose(run.path, begin) if begin else _beginning(run, told)
    last = until if until is not None else choose(run.path, "last").step
    first = found.step if found is not None else 0
    if last <= first:
        raise UsageError(f"nothing to train again between step {first} and step {last}: give --from and --until")
    if until is not None and until > (reached := choose(run.path, "last").step):
        raise UsageError(f"--until {until}: the last checkpoint of {run.id} is of step {reached}")
    return Plan(run, told, found, last, threads)


def _beginning(run: RunFolder, told: RunRecord) -> Checkpoint | None:
    """The checkpoint that a fork began with; None of a run that began at step 0."""
    origin = told.get("forked_from")
    if origin is None:
        return None
    found = next((c for c in complete(run.path) if c.step == origin.get("step")), None)
    if found is None:
        there = ", ".join(str(c.step) for c in complete(run.path)[:-1]) or "none"
        raise RunError(f"{run.id} is a fork, and the checkpoint it began with is gone: give --from, of {there}")
    return found


def again(
    catalog: Catalog, planned: Plan, workspace: Path, *, signals: StopSignals | None = None, say: Say = silent
) -> Generator[Event, None, Reproduction]:
    """Train it again: the events as they happen, and what came of it, which is put on record too.

    It ends at the first value that differs. Closed before that, nothing is on record.
    """
    from dlkit.engine.until import UntilLoop

    attempt, around = _attempt(catalog, planned, workspace, say)
    # All of the log, not what holds of it: a change that a resume made void was made again, and is known by its id.
    changes = [e for e in every_event(planned.run.events) if isinstance(e, Commanded) and e.action == "set"]
    loop = partial(UntilLoop, until=planned.until, changes=[e for e in changes if not e.refused])
    # Before the first step: the run may still be going, and its log grow.
    expected, compared, different = _values(planned), 0, None
    with closing(attempt.events(signals, loop=loop)) as events:
        for event in events:
            if isinstance(event, MetricsLogged):
                count, different = _compare(event, expected, planned.until)
                compared += count
            yield event
            if different is not None:
                break
    found = _found(
        planned, attempt, compared, different, (*around, *_otherwise(planned, attempt), *_lengths(planned.run))
    )
    try:
        record(planned.run, found)
    except OSError as error:
        say(f"note: not on record: {error.strerror or error}")
    return found


def _attempt(catalog: Catalog, planned: Plan, workspace: Path, say: Say) -> tuple[Attempt, tuple[str, ...]]:
    from dlkit.engine import start
    from dlkit.engine.exactness import differences

    run, name = planned.run, f"again: {planned.run.id}"[:200]
    # How long it took says nothing of what it computed, and nobody waits for its end at the old address.
    alone: dict[str, dict[str, object]] = {"engine": {"max_time": None}, "job": {"notify": None}}
    told = dict(planned.record)
    if planned.threads is not None:
        alone["engine"]["threads"] = planned.threads
        told = {key: value for key, value in told.items() if key not in ("threads", "building_threads", "threads_why")}
    context = make_context(catalog, run.path.parent.parent, offline=False, say=say)
    if planned.begin is None:
        resolved: Resolved = stored_config(catalog, run, planned.record, Layer("again", alone))
        return start.again(catalog, run, resolved, told, planned.record, workspace, context, name=name)  # type: ignore[arg-type]
    branch = plan(catalog, planned.begin, lambda task, names: Layer("again", alone), allow_inexact=True, say=say)
    attempt = start.fork(catalog, branch, workspace, context, name=name)
    return attempt, differences(attempt.job, planned.record)


def _values(planned: Plan) -> Values:
    """Every value that the run has on record, by metric and step, but for those of the clock."""
    found: dict[tuple[str, int], float] = {}
    for event in read_events(planned.run.events):
        if isinstance(event, MetricsLogged):
            for name in event.values:
                # Another figure every time, however equal the runs.
                if not name.endswith("_per_second"):
                    found.update({(name, step): value for step, value in event.points(name)})
    return found


Difference = tuple[str, int, float, float]


def _compare(event: MetricsLogged, expected: Values, until: int) -> tuple[int, Difference | None]:
    """How many values were compared, and the first that differs: of the earliest step."""
    compared, different = 0, None
    for name in event.values:
        for step, value in event.points(name):
            was = expected.get((name, step))
            if was is None or step > until:
                continue
            compared += 1
            same = was == value or (math.isnan(was) and math.isnan(value))
            if not same and (different is None or step < different[1]):
                different = name, step, was, value
    return compared, different


def _found(
    planned: Plan, attempt: Attempt, compared: int, different: Difference | None, around: tuple[str, ...]
) -> Reproduction:
    there = {c.step: c for c in complete(planned.run.path)}.get(planned.until)
    made = {c.step: c for c in complete(attempt.run.path)}.get(planned.until)
    weights = there is not None and made is not None and different is None
    equal = different is None and made is not None and (there is None or _same(there, made))
    found = Reproduction(
        time=round(time.time(), 3), by=somebody(), host=socket.gethostname(), run=attempt.run.id,
        begin=planned.first, until=planned.until, equal=equal, values=compared, weights=weights, around=around,
    )  # fmt: skip
    if different is not None:
        name, step, was, came = different
        return found._replace(metric=name, step=step, was=repr(was), came=repr(came))
    if equal:
        return found
    if made is None:  # it was stopped, or failed
        raise RunError(f"{attempt.run.id} did not come to step {planned.until}: nothing is proved")
    assert there is not None
    return found._replace(metric="the weights", step=planned.until, was=there.sha256, came=made.sha256)


def _same(one: Checkpoint, other: Checkpoint) -> bool:
    frozen = [c.manifest.frozen["sha256"] if c.manifest.frozen else "" for c in (one, other)]
    return one.sha256 == other.sha256 and frozen[0] == frozen[1]


def _otherwise(planned: Plan, attempt: Attempt) -> list[str]:
    """What of the software is not what it was; torch's version is told as what changes numbers."""
    found = otherwise(kept(planned.run), kept(attempt.run))
    return [line for line in found if not line.startswith("torch was")]


def _lengths(run: RunFolder) -> tuple[str, ...]:
    """Where a run was given another length, which schedules depend on: what came before was trained with another."""
    found, total = [], None
    for event in every_event(run.events):
        if isinstance(event, (Started, Resumed)):
            if total is not None and event.total_steps != total and isinstance(event, Resumed):
                found.append(f"it was given {event.total_steps} steps in place of {total} at step {event.from_step}")
            total = event.total_steps
    return tuple(found)
