"""The queue of a workspace: who waits, and why. What starts jobs is ``dlkit.jobs.scheduler``."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from dlkit.errors import DAMAGE, RunError, in_words
from dlkit.jobs.allocate import Decision, Machine, Queued, Wait, plan
from dlkit.jobs.detach import detach
from dlkit.jobs.job_record import JobRecord, job_of
from dlkit.jobs.queue_state import LIVE, QueueState
from dlkit.jobs.shares import machine_of
from dlkit.runs import opening, own
from dlkit.runs.commands import checked_reason, somebody
from dlkit.runs.conclude import end_run
from dlkit.runs.folder import RunFolder
from dlkit.runs.giving_way import gave_way
from dlkit.runs.lock import SUPERVISOR, RunLock, holder
from dlkit.runs.run_record import RunRecord
from dlkit.runs.workspace import KEY


def lock_of(workspace: Path) -> Path:
    """Held by the workspace's scheduler."""
    return workspace.resolve() / "scheduler.lock"  # it may be reached by a link; a run in it never is


def log_of(workspace: Path) -> Path:
    return workspace / "scheduler.log"


def scheduler(workspace: Path) -> int | None:
    """The process that starts this workspace's jobs, if there is one."""
    return holder(lock_of(workspace))


def wake(workspace: Path, queue: QueueState | None = None) -> bool:
    """Start a scheduler, detached, if jobs wait and there is none; two of them are no harm: one ends at once. Whoever
    asks often gives the same ``queue`` again."""
    queue = queue or QueueState(workspace)
    queue.refresh()
    if scheduler(workspace) is not None:
        return False
    if not startable(queue, decisions(queue)) and not queue.broken_off():
        return False
    output = os.fdopen(opening.open_beside(log_of(workspace.resolve()), opening.APPEND), "ab")
    detach("dlkit.jobs.scheduler", [str(workspace.resolve())], output)
    return True


def machine_for(workspace: Path) -> Machine:
    """This machine as the workspace's jobs may use it: what its scheduler keeps for one of them is theirs."""
    machine, here = machine_of(workspace), (scheduler(workspace), str(workspace.resolve()))
    return machine._replace(claims=[c for c in machine.claims if not (c.queued and (c.pid, c.workspace) == here)])


def decisions(
    queue: QueueState, machine: Machine | None = None, without: Collection[str] = ()
) -> list[tuple[Queued, Decision]]:
    """What would become of every queued job now, in the order of the queue; ``without`` those that nobody can start."""
    jobs = [job for job in queue.queued() if job.id not in without]
    machine, here = machine or machine_for(queue.workspace), str(queue.workspace.resolve())
    held = [c._replace(run=queue.called(c.run)) if c.workspace == here else c for c in machine.claims]
    return plan(jobs, machine._replace(claims=held), queue.states(), queue.called)


def startable(queue: QueueState, decided: Sequence[tuple[Queued, Decision]]) -> set[str]:
    """The jobs that may start now or without anybody doing anything: not those that wait for what has failed."""
    # A job behind a run that failed waits for a person. No scheduler stays alive for it: whatever is queued or ends
    # later looks at the queue again.
    there = [job for job, decision in decided if not (isinstance(decision, Wait) and decision.never)]
    found: set[str] = set()
    while True:  # from none upwards: those that wait for each other are never found
        more = {j.id for j in there if j.id not in found and all(_may_complete(queue, n, found) for n in j.after)}
        if not more:
            return found
        found |= more


def _may_complete(queue: QueueState, identity: str, found: set[str]) -> bool:
    state = queue.state(identity)
    return state in ("completed", "running", "paused") or (state == "queued" and _is_startable(queue, identity, found))


def _is_startable(queue: QueueState, identity: str, found: set[str]) -> bool:
    return identity in found or not job_of(queue.record(identity)).get("queued")


class Entry(NamedTuple):
    """One line of the queue. ``why`` says why it waits, or where it runs."""

    id: str
    state: str
    name: str
    priority: int
    since: float
    after: Sequence[str]
    devices: Sequence[str]
    why: str
    urgent: bool = False

    @property
    def importance(self) -> str:
        """``urgent``, or its priority."""
        return "urgent" if self.urgent else str(self.priority)


def listing(workspace: Path, queue: QueueState | None = None) -> list[Entry]:
    """What runs, then what waits, in the order in which it will start, then damaged runs, each of which may be one.

    Whoever asks often gives the same ``queue`` again: then only what has changed is read.
    """
    queue = queue or QueueState(workspace)
    queue.refresh()
    waiting = decisions(queue)
    order = {job.id: i for i, (job, _) in enumerate(waiting)}
    reasons = {job.id: reason(decision) for job, decision in waiting}
    ids = sorted(queue.live(), key=lambda name: (name in order, order.get(name, 0), name))
    found = [_entry(queue, name, reasons.get(name)) for name in ids]
    return [*found, *(_damaged(name, damage) for name, damage in sorted(queue.damaged.items()))]


def reason(decision: Decision) -> str:
    return decision.reason if isinstance(decision, Wait) else "starts next"


def _damaged(name: str, why: str) -> Entry:
    return Entry(name, "damaged", "", 0, 0.0, (), (), why)


def _entry(queue: QueueState, name: str, why: str | None) -> Entry:
    try:
        return _understood(queue, name, why)
    except DAMAGE as error:
        return _damaged(name, in_words(error))


def _understood(queue: QueueState, name: str, why: str | None) -> Entry:
    record = queue.record(name)
    job = job_of(record)
    devices = record.get("devices") or ([record["device"]] if record.get("device") else [])
    state = queue.state(name)
    if why is None:
        why = _why_not_waiting(queue, name, state, devices)
    return Entry(
        name,
        state,
        str(record.get("name", "")),
        int(job.get("priority", 0)),
        float(job.get("since", record.get("created", 0.0))),
        tuple(job.get("after", ())),
        tuple(devices) if state not in ("queued", "foreign") else (),
        _with_story(queue, job, state, why),
        bool(job.get("urgent")),
    )


def _with_story(queue: QueueState, job: JobRecord, state: str, why: str) -> str:
    """Of a job that gave its device back, that it did, and after whom it goes on."""
    story = gave_way(job)
    if state != "queued" or story is None:
        return why
    # By name where there is one: it may be of another workspace, whose runs are not known here.
    other = str(story.get("to", ""))
    what = f"gave way at step {story.get('step', 0)}"
    if not other or job.get("held"):
        return f"{what}; {why}"
    called = queue.called(other) if queue.record(other) else str(story.get("called") or other)
    ended = bool(queue.record(other)) and queue.state(other) not in LIVE
    return f"{what} to {called}{'' if ended else f', continues after {called}'}; {why}"


def _why_not_waiting(queue: QueueState, name: str, state: str, devices: Sequence[str]) -> str:
    """Of a job that no decision was made on."""
    if state == "foreign":
        return own.FOREIGN.replace("resume", f"resume {name}")
    if state != "queued":
        return f"on {', '.join(devices)}"
    if queue.is_own(name) is None:
        return f"whether it is this workspace's own is not known: its {KEY} may not be read by you"
    return "its worker is starting"


def why(workspace: Path, identity: str) -> str:
    """Why a run waits; empty if it does not."""
    found = (entry for entry in listing(workspace) if entry.id == identity)
    return next((entry.why for entry in found if entry.state in ("queued", "foreign")), "")


def reprioritise(run: RunFolder, by: int = 0, *, to: int | None = None, urgent: bool | None = None) -> int:
    """Raise or lower a waiting job's priority, or set it, or say whether it is urgent; returns what it is now. RunError
    if it does not wait.
    """
    with _waiting(run) as (record, job):
        job["priority"] = to if to is not None else int(job.get("priority", 0)) + by
        if urgent is not None:
            job["urgent"] = urgent
        run.update(**own.marks_again(run.path, record, job=job))
        return job["priority"]


def hold(run: RunFolder, reason: str = "") -> None:
    """Have a waiting job wait until ``unhold``; RunError if it does not wait."""
    with _waiting(run) as (record, job):
        job["held"] = f"{somebody()}{f': {checked_reason(reason)}' if reason else ''}"
        run.update(**own.marks_again(run.path, record, job=job))


def unhold(run: RunFolder) -> bool:
    """Put a job back that was held, as it was; False if nobody holds it. RunError if it does not wait."""
    with _waiting(run) as (record, job):
        held = bool(job.pop("held", ""))
        if held:
            run.update(**own.marks_again(run.path, record, reason="", job=job))
    return held


@contextmanager
def _waiting(run: RunFolder) -> Iterator[tuple[RunRecord, JobRecord]]:
    """The record and the job table of a run that waits, nobody else changing them."""
    try:
        with RunLock(run.lock, SUPERVISOR):  # a worker takes the job under the same lock: one of the two comes first
            record = run.read()
            if record.get("state") != "queued":
                raise RunError(f"{run.id} does not wait in the queue: it is {record.get('state')}")
            if own.is_own_job(run.path, record) is not True:
                raise RunError(f"{run.id} is foreign: {own.FOREIGN}")
            yield record, job_of(record)
    except BlockingIOError as error:
        raise RunError(f"{run.id} has been started (process {holder(run.lock)})") from error


def cancel(run: RunFolder, reason: str = "") -> None:
    """Take a job out of the queue: it ends as stopped, before its first step; who did so, and the ``reason``, is on
    record. RunError if it does not wait."""
    why = f"{somebody()}{f': {checked_reason(reason)}' if reason else ''}"
    try:
        with RunLock(run.lock, SUPERVISOR):
            state = run.read().get("state")
            if state != "queued":
                raise RunError(f"{run.id} does not wait in the queue: it is {state}")
            end_run(run, "stopped", f"cancelled before it was started, by {why}")
    except BlockingIOError as error:
        raise RunError(f"{run.id} has been started (process {holder(run.lock)}): dlkit stop {run.id}") from error
