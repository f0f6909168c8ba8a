"""Runs that go on without this process: made ready, and left to a worker of their own or to the queue.

The part of ``launch`` that an interface uses: nothing that it reaches imports torch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from dlkit.catalog import Catalog
from dlkit.config import Layer, Resolved
from dlkit.errors import RunError
from dlkit.jobs.detach import start_worker
from dlkit.jobs.job_record import Submission
from dlkit.jobs.queue import wake, why
from dlkit.jobs.submit import resubmit, submit
from dlkit.runs.estimates import Estimate
from dlkit.runs.finding import find_run
from dlkit.runs.folder import RunFolder
from dlkit.runs.orders import orders_of
from dlkit.runs.run_record import RunRecord
from dlkit.runs.stored import readable


class HandedOver(NamedTuple):
    """A run that goes on without this process; ``reason`` says why it waits, if it does."""

    run: RunFolder
    queued: bool
    reason: str = ""


def detached(*, offline: bool = False) -> Submission:
    """A worker at once, which outlives this process."""
    return Submission(False, offline=offline)


def watched(*, offline: bool = False) -> Submission:
    """A worker at once, which ends with this process."""
    return Submission(False, offline=offline, foreground=True)


def queued(
    workspace: Path,
    *,
    priority: int = 0,
    after: Sequence[str] = (),
    offline: bool = False,
    urgent: bool = False,
    at: float = 0.0,
) -> Submission:
    """A place in the queue, behind the runs that ``after`` refers to; UsageError if there is none of that name. ``at``
    is in UTC seconds."""
    first = [find_run(workspace, reference).id for reference in after]
    return Submission(True, priority, first, offline, urgent=urgent, at=at)


def hand_over(
    catalog: Catalog,
    resolved: Resolved,
    workspace: Path,
    submission: Submission,
    *,
    name: str = "",
    estimate: Estimate | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> HandedOver:
    """Start a new run; RunError if its folder cannot be made, or nothing can be started. ``estimate``: what is known of
    how long it takes, for the record; ``say`` as for ``submit``."""
    return started(submit(catalog, resolved, workspace, submission, name=name, estimate=estimate, say=say), submission)


def hand_over_again(
    catalog: Catalog,
    run: RunFolder,
    submission: Submission,
    *,
    overrides: Layer | None = None,
    given: Layer | None = None,
    allow_inexact: bool = False,
    say: Callable[[str], None] = lambda text: None,
) -> HandedOver:
    """Have a run go on from its last checkpoint; ``overrides`` are options of the engine, ``given`` and ``say`` as for
    ``launch.resume``.

    UsageError: nothing left to do; RunError: somebody writes it, or nothing can be started.
    """
    orders = heard_orders(run, readable(run), given, say)
    resubmit(catalog, run, submission, overrides=overrides, orders=orders, allow_inexact=allow_inexact)
    return started(run, submission)


def heard_orders(run: RunFolder, record: RunRecord, given: Layer | None, say: Callable[[str], None]) -> Sequence[Layer]:
    """What holds of a run's orders (``runs.orders``); ``say`` hears what does not."""
    found = orders_of(run, record, given)
    for line in found.dropped:
        say(line)
    return found.layers


def started(run: RunFolder, submission: Submission) -> HandedOver:
    """Have a run started that says ``queued``: by its worker now, or by the queue."""
    workspace = run.path.parent.parent
    try:
        if submission.queued:
            wake(workspace)
            return HandedOver(run, True, why(workspace, run.id))
        start_worker(run)
    except OSError as error:
        raise RunError(f"{run.id} is there, but nothing can be started: {error.strerror or error}") from error
    return HandedOver(run, False)
