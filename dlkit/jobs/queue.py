"""The queue of a workspace: who waits, and why. What starts jobs is ``dlkit.jobs.scheduler``."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

from dlkit.bounded import SETTINGS, read_json
from dlkit.errors import DAMAGE, RunError, UsageError, in_words
from dlkit.interpreter import MOST_PROCESSES
from dlkit.jobs.allocate import Decision, Machine, Queued, Wait, machine_now, plan
from dlkit.jobs.detach import detach
from dlkit.jobs.job_record import job_of
from dlkit.jobs.queue_state import QueueState
from dlkit.runs import opening, own
from dlkit.runs.commands import checked_reason, somebody
from dlkit.runs.conclude import end_run
from dlkit.runs.files import write_json
from dlkit.runs.folder import RunFolder
from dlkit.runs.lock import SUPERVISOR, RunLock, holder
from dlkit.runs.workspace import KEY

FORMAT = 1


def lock_of(workspace: Path) -> Path:
    """Held by the workspace's scheduler."""
    return workspace.resolve() / "scheduler.lock"  # it may be reached by a link; a run in it never is


def log_of(workspace: Path) -> Path:
    return workspace / "scheduler.log"


def cpu_slots(workspace: Path) -> int:
    """How many jobs may share this machine's CPU; 1 unless somebody has said otherwise."""
    try:
        slots = read_json(workspace / "scheduler.json", SETTINGS).get("cpu_slots")
    except (OSError, ValueError):
        return 1
    return min(max(1, slots), MOST_PROCESSES) if isinstance(slots, int) else 1


def set_cpu_slots(workspace: Path, count: int) -> None:
    """Say it; a scheduler that is running takes it over."""
    if not 1 <= count <= MOST_PROCESSES:
        raise UsageError(f"--cpu-slots {count}: must be 1 to {MOST_PROCESSES}")
    workspace.mkdir(parents=True, exist_ok=True)
    # In a file, not in the scheduler: that ends when nothing waits, and the next one goes on with the same number.
    write_json(workspace.resolve() / "scheduler.json", {"format": FORMAT, "cpu_slots": count})


def scheduler(workspace: Path) -> int | None:
    """The process that starts this workspace's jobs, if there is one."""
    return holder(lock_of(workspace))


def wake(workspace: Path) -> bool:
    """Start a scheduler, detached, if jobs wait and there is none; two of them are no harm: one ends at once."""
    queue = QueueState(workspace)
    queue.refresh()
    if scheduler(workspace) is not None or not startable(queue, decisions(queue)):
        return False
    output = os.fdopen(opening.open_beside(log_of(workspace.resolve()), opening.APPEND), "ab")
    detach("dlkit.jobs.scheduler", [str(workspace.resolve())], output)
    return True


def decisions(
    queue: QueueState, machine: Machine | None = None, without: Collection[str] = ()
) -> list[tuple[Queued, Decision]]:
    """What would become of every queued job now, in the order of the queue; ``without`` those that nobody can start."""
    jobs = [job for job in queue.queued() if job.id not in without]
    machine, here = machine or machine_now(cpu_slots(queue.workspace)), str(queue.workspace.resolve())
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
        why,
    )


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


def reprioritise(run: RunFolder, by: int) -> int:
    """Raise or lower a waiting job's priority; returns what it is now. RunError if it does not wait."""
    try:
        with RunLock(run.lock, SUPERVISOR):  # a worker takes the job under the same lock: one of the two comes first
            record = run.read()
            if record.get("state") != "queued":
                raise RunError(f"{run.id} does not wait in the queue: it is {record.get('state')}")
            job = job_of(record)
            if own.is_own_job(run.path, record) is not True:
                raise RunError(f"{run.id} is foreign: {own.FOREIGN}")
            job["priority"] = int(job.get("priority", 0)) + by
            run.update(**own.marks_again(run.path, record, job=job))
            return job["priority"]
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
