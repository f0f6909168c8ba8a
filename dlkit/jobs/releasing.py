"""Giving a device back by hand: a run writes its checkpoint, its process ends, and it waits until it is put back."""

from __future__ import annotations

import time

from dlkit.errors import RunError
from dlkit.events import Commanded
from dlkit.jobs.follow import Follower, state_now
from dlkit.jobs.job_record import job_of
from dlkit.jobs.queue import hold, unhold, wake
from dlkit.jobs.requests import LOOK_SECONDS, Request, is_alive, send
from dlkit.runs.files import file_size
from dlkit.runs.folder import RunFolder
from dlkit.runs.giving_way import ACTION

ALIVE = ("running", "paused")


def give_back(run: RunFolder, *, reason: str = "", timeout: float) -> str:
    """Have a run give its device back, or not start if it waits; its state after that: ``queued``, or how it ended
    meanwhile. RunError if it refuses, cannot be asked, or has not done so within ``timeout`` seconds; it does so late,
    then, or never.
    """
    if state_now(run) == "queued":
        hold(run, reason)
        return "queued"
    # Not waited for as other orders are: a job that has not begun to train is ended by its supervisor, which answers
    # nothing.
    Request(run, ACTION).check()
    follower = Follower(run, file_size(run.events))
    identity, deadline = send(run, ACTION, reason=reason), time.monotonic() + timeout
    while True:
        events = follower.poll()
        mine = [event for event in events if isinstance(event, Commanded) and event.id == identity and event.refused]
        if mine:
            raise RunError(f"{run.id}: {mine[0].refused}")
        if follower.state not in ALIVE and not _is_about_to_wait(run):
            return follower.state
        if time.monotonic() > deadline:
            raise RunError(f"{run.id} has not given its device back within {timeout:g} s; the command stays in line")
        time.sleep(LOOK_SECONDS)


def _is_about_to_wait(run: RunFolder) -> bool:
    """A run without a job of its own ends first, and is put into the queue by its process then."""
    record = run.read()
    ended = record.get("state") == "stopped" and not record.get("job")
    return ended and is_alive(record.get("pid"))


def is_held(run: RunFolder) -> bool:
    """Whether it waits for ``put_back``."""
    return state_now(run) == "queued" and bool(job_of(run.read()).get("held"))


def put_back(run: RunFolder) -> None:
    """Have a run that is held go on when a device is free. RunError if it does not wait."""
    unhold(run)
    wake(run.path.parent.parent)
