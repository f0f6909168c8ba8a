"""``--detach``, ``--queue``, and jobs of several processes: a worker trains, this process at most looks on."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dlkit.errors import UsageError
from dlkit.present.commands import to_type
from dlkit.present.output import say
from dlkit.runs.folder import RunFolder
from dlkit.runs.index import find_run

if TYPE_CHECKING:
    from dlkit.jobs.table import Submission


def submission(
    workspace: Path, *, queued: bool, priority: str | None, after: Sequence[str], cpu_slots: str | None, offline: bool
) -> Submission:
    """The flags that go with ``--queue``, checked; UsageError if they are given without it."""
    from dlkit.jobs.queue import set_cpu_slots
    from dlkit.jobs.table import Submission

    given = {"--priority": priority, "--after": after or None, "--cpu-slots": cpu_slots}
    lonely = [flag for flag, value in given.items() if value is not None]
    if lonely and not queued:
        raise UsageError(f"{lonely[0]} goes with --queue")
    runs = [find_run(workspace, reference).id for reference in after]
    level = _whole("--priority", priority or "0")
    if cpu_slots is not None:
        set_cpu_slots(workspace, _whole("--cpu-slots", cpu_slots))
    return Submission(queued, level, runs, offline)


def _whole(flag: str, text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise UsageError(f"{flag} {text!r}: must be a whole number") from error


def hand_over(run: RunFolder, *, queued: bool, as_json: bool) -> int:
    """Start the run's worker, or wake the scheduler; say the run's id and what to type next."""
    from dlkit.jobs.queue import wake, why
    from dlkit.jobs.submit import start_worker

    workspace = run.path.parent.parent
    if queued:
        wake(workspace)
    else:
        start_worker(run)
    if as_json:
        print(json.dumps({"event": "submitted", "run": run.id}))
        return 0
    reason = why(workspace, run.id) if queued else ""
    print(f"{run.id}: {'queued' if queued else 'started'}{f' ({reason})' if reason else ''}\n")
    words = (f"watch {run.id}", "queue list" if queued else f"stop {run.id}")
    print("\n".join(["next:", *(f"  {to_type(run, word)}" for word in words)]))
    return 0


def look_on(run: RunFolder, *, as_json: bool, quiet: bool) -> int:
    """Have a worker train, and show it as if it were this process; Ctrl-C stops the job, a second one at once."""
    from dlkit.cli.watch import attach
    from dlkit.jobs.submit import start_worker

    worker = start_worker(run, in_foreground=True)
    with _passing_on(worker):
        return attach(run, as_json=as_json, quiet=quiet, worker=worker)


class _passing_on:  # used as a context manager
    """While entered, Ctrl-C and SIGTERM are the worker's to answer."""

    def __init__(self, worker: subprocess.Popen[bytes]) -> None:
        self._worker = worker
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._pass_on)

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def _pass_on(self, number: int, _frame: object) -> None:
        if self._worker.poll() is None:
            self._worker.send_signal(number)
            say("\nstopping after this step (again: at once)")
