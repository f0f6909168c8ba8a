"""Training in this very process: the device is claimed, who else is there is said, the end is told to who asked."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from dlkit.config import Resolved
from dlkit.errors import DlkitError, RunError
from dlkit.events import Commanded, Event, Finished
from dlkit.jobs.claims import Claim, hold
from dlkit.jobs.detach import start_worker
from dlkit.jobs.follow import Gone, follow
from dlkit.jobs.job_record import Submission, resumed_job
from dlkit.jobs.notify import finished_record, post
from dlkit.jobs.queue import wake
from dlkit.runs.commands import Command
from dlkit.runs.folder import RunFolder
from dlkit.runs.giving_way import ACTION, Release, back_in_queue, understood
from dlkit.runs.lock import RunLock
from dlkit.runs.own import own_key

if TYPE_CHECKING:
    from dlkit.engine.attempt import Attempt
    from dlkit.engine.signals import StopSignals


def train_here(
    attempt: Attempt, signals: StopSignals | None = None, say: Callable[[str], None] = lambda text: None
) -> Generator[Event, None, None]:
    """An attempt's events. The foreground never waits for a device: it claims it, and says who has it too."""
    finished: Finished | None = None
    release: Release | None = None
    with _claim(attempt, say):
        for event in (stream := attempt.events(signals)):
            finished = event if isinstance(event, Finished) else None
            if isinstance(event, Commanded) and event.action == ACTION and not event.refused:
                release = understood(Command(ACTION, by=event.by, reason=event.reason, end=event.end))
            try:
                yield event
            except GeneratorExit:
                stream.close()  # now, under the claim: left to the collector, the run would go on without it
                raise
    if release is not None and finished is not None and finished.status == "stopped":
        _leave_to_the_queue(attempt, release, finished.steps, say)
    if attempt.run.path.parent.name == "runs":  # else it is a copy, with no queue beside it
        with suppress(DlkitError, OSError):
            wake(attempt.run.path.parent.parent)
    # Last: a slow server takes seconds, in which somebody may press Ctrl-C.
    url = attempt.job.resolved.job.notify
    if url and finished is not None:
        problem = post(url, finished_record(attempt.run))
        if problem:
            say(f"could not notify {url}: {problem}")


def _leave_to_the_queue(attempt: Attempt, release: Release, step: int, say: Callable[[str], None]) -> None:
    """A run that has given its device back by hand waits in the queue until it is put back; one that cannot ends."""
    run = attempt.run
    try:
        # Two writes, as its process is no supervisor: killed between them, it is stopped, and can be resumed.
        with RunLock(run.lock):
            record = run.read()
            table = resumed_job(attempt.job.resolved, Submission(True), record, {}, False, release.end)
            back = back_in_queue(run, record, release, step, table)
            if own_key(run.path) is not None and back is not None:
                run.update(**back)
    except (BlockingIOError, DlkitError, OSError) as error:
        say(f"note: {run.id} is stopped, and could not be put into the queue: {error}")


def needs_worker(resolved: Resolved) -> bool:
    """Whether one process cannot do by itself what is asked for: several, restarts, a launcher of somebody's own."""
    return resolved.job.supervised or resolved.specs["launcher"].name != "local"


def train_in_worker(run: RunFolder) -> Generator[Event, None, None]:
    """The events of a submitted run, which ends with this process; RunError if its worker cannot start it.

    Closed before the end, it stops the run, and waits until that has written its checkpoint.
    """
    worker = start_worker(run, in_foreground=True)
    try:
        for event in follow(run):
            if isinstance(event, Gone):
                raise RunError(f"{run.id}: {event.state}; {run.output} has the details")
            yield event
    finally:
        if worker.poll() is None:  # whoever consumed the events has stopped: so does the work
            worker.terminate()
        worker.wait()


@contextmanager
def _claim(attempt: Attempt, say: Callable[[str], None]) -> Iterator[None]:
    run = attempt.run
    devices = attempt.job.placement.device.claims()
    holding = hold(devices, run=run.id, workspace=run.path.parent.parent, memory=None, queued=False)
    try:
        others: list[Claim] = holding.__enter__()
    except (OSError, DlkitError) as error:  # claims are a courtesy to others: training does without
        say(f"note: the device could not be claimed: {error}")
        yield
        return
    for other in others:
        say(f"note: {', '.join(devices)} is in use too by {other.run} (process {other.pid})")
    try:
        yield
    finally:
        holding.__exit__(*sys.exc_info())
