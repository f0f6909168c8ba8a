"""Jobs that wait with one word (``Submission.stack``) are trained as one, by the process of whichever is started first.

That takes along those of the others which still wait, as many as gain from it, holding the supervisor's part of each
one's run.lock for as long as it lasts, as a worker would. What it does not take, or cannot train as one, waits on for a
worker of its own: a word promises nothing, and no job depends on another's process.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from dlkit.catalog import Catalog
from dlkit.config import Resolved
from dlkit.errors import DAMAGE, DlkitError, UsageError
from dlkit.events import Commanded, Event, Finished
from dlkit.jobs.detach import STOPS
from dlkit.jobs.job_record import job_of
from dlkit.jobs.notify import finished_record, post
from dlkit.jobs.queue_state import QueueState
from dlkit.runs import index
from dlkit.runs.folder import RunFolder
from dlkit.runs.lock import SUPERVISOR, WRITER, RunLock
from dlkit.runs.own import is_own_job
from dlkit.runs.stored import readable, stored_config

if TYPE_CHECKING:
    from dlkit.engine.attempt import Attempt
    from dlkit.engine.stacked.sharing import SharedData

Say = Callable[[str], None]


def word_of(run: RunFolder) -> str:
    """The word that a job waits with; empty: it is trained alone."""
    return str(job_of(run.read()).get("stack", ""))


def waiting(workspace: Path, word: str) -> list[RunFolder]:
    """The jobs that wait with a word and for nothing else, in the order of the queue."""
    queue = QueueState(workspace)
    queue.refresh()
    jobs = [job for job in queue.queued() if job_of(queue.record(job.id)).get("stack") == word]
    free = [job for job in jobs if all(queue.state(other) == "completed" for other in job.after)]
    return [queue.run(job.id) for job in sorted(free, key=lambda job: (-job.priority, job.since, job.id))]


def train_with_others(catalog: Catalog, run: RunFolder, since: int | None, say: Say) -> Attempt | None:
    """Train a job, and others that wait with its word, as one. Where it is to be trained alone, its attempt is given
    back, and ``say`` hears why.

    ``since``: the offset of the first command that is for it.
    """
    from dlkit.engine.signals import StopSignals
    from dlkit.engine.stacked.training import StackedTraining, Started
    from dlkit.jobs.free_cores import FreeCores

    with ExitStack() as held:
        taken = _taken_along(catalog, run, held, say)
        if len(taken) == 1:
            return taken[0]
        signals = StopSignals()
        begins = [since if one.run == run else job_of(one.run.read()).get("commands_from") for one in taken]
        started = [Started(one, WRITER, begin) for one, begin in zip(taken, begins, strict=True)]
        say(f"trained as one: {', '.join(one.run.id for one in taken)}")
        for one, event in StackedTraining(started, FreeCores(run)).events(signals):
            if one == run and not signals.asked:
                signals.asked = _signalled(event)
            elif one != run and isinstance(event, Finished):
                _afterwards(one, say)
    return None


def _taken_along(catalog: Catalog, run: RunFolder, held: ExitStack, say: Say) -> list[Attempt]:
    """The attempts of a stack, this run's first, each held; one alone where there can be no stack."""
    from dlkit.engine.stacked.differing import why_not
    from dlkit.engine.stacked.room import rows_that_fit
    from dlkit.engine.stacked.sharing import SharedData
    from dlkit.engine.stacked.starting import refuse
    from dlkit.jobs.launch import next_attempt

    data = SharedData()
    first = next_attempt(catalog, run, say, data)
    others = [other for other in waiting(run.path.parent.parent, word_of(run)) if other != run]
    why, found = why_not(first.job.resolved), [first]
    most = 1 if why else rows_that_fit(first.job)
    if others and most == 1:
        say(f"trained alone: {why or 'caches and memory have no room for its weights and as many again'}")
        return found
    for other in others:
        if len(found) < most:
            found += _held(catalog, other, first.job.resolved, data, held, say)
    if len(found) == 1:
        return found
    try:
        refuse([attempt.job for attempt in found])
    except UsageError as error:
        say(f"trained alone: {error}")
        held.close()
        return [next_attempt(catalog, run, say)]  # afresh: what was tried lies in memory that rows share
    devices = run.read().get("devices", ())
    for attempt in found[1:]:
        attempt.run.update(state="running", worker=os.getpid(), devices=list(devices))
    return found


def _held(
    catalog: Catalog, run: RunFolder, like: Resolved, data: SharedData, held: ExitStack, say: Say
) -> Iterator[Attempt]:
    """Another job's attempt, if it still waits and goes with the first; what is wrong with it its own worker tells."""
    from dlkit.engine.stacked.differing import why_apart, why_not
    from dlkit.jobs.launch import next_attempt

    with ExitStack() as lock, suppress(BlockingIOError, DlkitError, *DAMAGE):
        resolved = stored_config(catalog, run, readable(run))
        if why := why_not(resolved) or why_apart(like, resolved):
            say(f"{run.id} is not trained as one with these: {why}")
            return
        lock.enter_context(RunLock(run.lock, SUPERVISOR))
        # Read again under the lock, as a worker does: a scheduler may have started it meanwhile.
        record = run.read()
        if record.get("state") == "queued" and is_own_job(run.path, record):
            attempt = next_attempt(catalog, run, say, data)
            held.enter_context(lock.pop_all())
            yield attempt


def _signalled(event: Event) -> str:
    """Why all are to stop: a signal asked the job that has the process to, not a person who means this one run."""
    if isinstance(event, Commanded) and event.action == "stop" and event.by in {number.name for number in STOPS}:
        return f"stopped by {event.by}"
    return ""


def _afterwards(run: RunFolder, say: Say) -> None:
    """What a worker does when its job has ended."""
    index.note(run.path.parent.parent, run)
    if url := job_of(run.read()).get("notify"):
        problem = post(url, finished_record(run))
        if problem:
            say(f"could not notify {url}: {problem}")
