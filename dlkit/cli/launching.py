"""What ``train`` and ``resume`` share: the flags that say where a run is trained, and the talk while it is."""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from dlkit.cli.exit_codes import EXIT
from dlkit.durations import at as moment_at
from dlkit.errors import UsageError
from dlkit.interrupt import Interrupts
from dlkit.jobs.follow import state_now
from dlkit.jobs.handover import HandedOver, detached, queued
from dlkit.jobs.launch import Foreground, Here, InWorker
from dlkit.jobs.shares import set_cpu_slots
from dlkit.present.commands import to_type
from dlkit.present.outcome import next_steps, result
from dlkit.present.output import print_json, print_result, say, say_from_handler

if TYPE_CHECKING:
    from dlkit.events import Finished
    from dlkit.jobs.job_record import Submission

BELL_SECONDS = 10.0
"""A run that took longer than this tells the terminal that it has ended: somebody may have looked away."""


def how_to(
    workspace: Path,
    *,
    detach: bool,
    queue: bool,
    priority: str | None,
    after: Sequence[str],
    cpu_slots: str | None,
    offline: bool,
    urgent: bool = False,
    at: str | None = None,
) -> Foreground | Submission:
    """``--detach``, ``--queue`` and what goes with it, checked; UsageError if they do not go together."""
    if detach and queue:
        raise UsageError("give either --detach (start now) or --queue (start when a device is free), not both")
    given = {
        "--priority": priority,
        "--after": after or None,
        "--cpu-slots": cpu_slots,
        "--urgent": urgent or None,
        "--at": at,
    }
    lonely = [flag for flag, value in given.items() if value is not None]
    if lonely and not queue:
        raise UsageError(f"{lonely[0]} goes with --queue")
    if not queue:
        return detached(offline=offline) if detach else Foreground(offline)
    level = _whole("--priority", priority or "0")
    when = _moment(at) if at is not None else 0.0
    submission = queued(workspace, priority=level, after=after, offline=offline, urgent=urgent, at=when)
    if cpu_slots is not None:
        set_cpu_slots(workspace, _whole("--cpu-slots", cpu_slots))
    return submission


def _whole(flag: str, text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise UsageError(f"{flag} {text!r}: must be a whole number") from error


def _moment(text: str) -> float:
    try:
        return moment_at(text, time.time())
    except ValueError as error:
        raise UsageError(f"--at {error}") from error


def show(launched: Here | InWorker | HandedOver, *, as_json: bool, quiet: bool) -> int:
    """Stay with a run for as long as this process has to do with it; the exit code."""
    match launched:
        case Here():
            return _train(launched, as_json=as_json, quiet=quiet)
        case InWorker():
            return _look_on(launched, as_json=as_json, quiet=quiet)
        case HandedOver():
            return _leave(launched, as_json=as_json, quiet=quiet)


def _train(here: Here, *, as_json: bool, quiet: bool) -> int:
    """Train, show the events, and say how it ended and what to type next."""
    from dlkit.cli.bell import tell_ended
    from dlkit.cli.progress import make_display
    from dlkit.engine.signals import StopSignals

    display = make_display(here.run, as_json=as_json, quiet=quiet)
    signals = StopSignals(lambda reason: say_from_handler(f"\n{reason}: stopping after this step (again: at once)"))
    began = time.monotonic()
    try:
        for event in here.events(signals, say=lambda text: None if quiet else say(text)):
            display.show(event)
    except KeyboardInterrupt:
        if display.finished is None:
            raise
    finally:
        display.close()
    finished = display.finished
    assert finished is not None
    with suppress(KeyboardInterrupt):  # the run has ended, and how is the exit code: only the talk is cut short
        _tell(here, finished, as_json=as_json, quiet=quiet)
        if time.monotonic() - began > BELL_SECONDS and not quiet:
            tell_ended(f"{here.run.id}: {finished.status}")
    return EXIT[finished.status]


def _tell(here: Here, finished: Finished, *, as_json: bool, quiet: bool) -> None:
    if finished.traceback and not quiet:
        say(finished.traceback)
    if not as_json:
        print_result(result(here.run, finished, here.attempt.job.resolved.task.metric), flush=True)
    if not as_json and not quiet:
        held = here.run.read().get("state") == "queued"
        goes_on = f"\nnext:\n  {to_type(here.run, f'unpause {here.run.id}')}"
        say(goes_on if held else next_steps(here.run, finished))


def _look_on(job: InWorker, *, as_json: bool, quiet: bool) -> int:
    """Have a worker train, and show it as if it were this process; Ctrl-C stops the job, a second one at once."""
    from dlkit.cli.watch import attach

    with Interrupts(signal.SIGINT, signal.SIGTERM) as interrupts:  # before there is a worker that would miss them
        return attach(job.run, as_json=as_json, quiet=quiet, worker=job.start(), interrupts=interrupts)


def _leave(job: HandedOver, *, as_json: bool, quiet: bool) -> int:
    """The run's id alone on stdout, for ``RUN=$(dlkit train …)``; to people, what to type next."""
    run = job.run
    if as_json:
        where = {"run": run.id, "path": str(run.path.absolute())}
        print_json({"event": "submitted", **where, "state": state_now(run)}, indent=None)
        return 0
    print_result(run.id, flush=True)
    if not quiet:
        words = (f"watch {run.id}", "queue list" if job.queued else f"stop {run.id}")
        state = f"{'queued' if job.queued else 'started'}{f' ({job.reason})' if job.reason else ''}"
        say("\n".join([f"{run.id}: {state}", "", "next:", *(f"  {to_type(run, word)}" for word in words)]))
    return 0
