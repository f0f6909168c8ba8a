"""Starting and resuming runs: the one way, whoever asks.

======================  =============================================================  ============
how                     what happens                                                   gives
======================  =============================================================  ============
``Foreground()``        it trains in this process                                      ``Here``
``Foreground()``, and   a worker of its own trains, which ends with this process: for  ``InWorker``
one process is not      several processes, restarts, somebody's own launcher
enough
``detached()``          a worker is started, which outlives this process               ``HandedOver``
``queued(…)``           a scheduler starts a worker when a device is free              ``HandedOver``
======================  =============================================================  ============

Where nothing trains in this process, nothing here imports torch. Callers add their talk, and nothing else.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, overload

from dlkit.catalog import Catalog
from dlkit.config import Layer, Resolved
from dlkit.data.context import make_context, silent
from dlkit.errors import RunError
from dlkit.events import Event
from dlkit.jobs.foreground import needs_worker, train_here, train_in_worker
from dlkit.jobs.job_record import Submission, job_of
from dlkit.jobs.queue import wake, why
from dlkit.jobs.submit import resubmit, start_worker, submit
from dlkit.runs.folder import RunFolder
from dlkit.runs.index import find_run
from dlkit.runs.stored import readable, stored_config

if TYPE_CHECKING:
    from dlkit.engine.signals import StopSignals
    from dlkit.engine.start import Attempt

Say = Callable[[str], None]


class Foreground(NamedTuple):
    """Whoever asks stays until the run has ended."""

    offline: bool = False


class Here(NamedTuple):
    """A run that this process is to train."""

    attempt: Attempt

    @property
    def run(self) -> RunFolder:
        return self.attempt.run

    def events(self, signals: StopSignals | None = None, say: Say = silent) -> Generator[Event, None, None]:
        """Train: the run's events as they happen. Closed before the end, it stops the run."""
        return train_here(self.attempt, signals, say)


class InWorker(NamedTuple):
    """A run that a worker is to train while this process looks on; nothing happens before it is asked to."""

    run: RunFolder

    def start(self) -> subprocess.Popen[bytes]:
        """The worker; for whoever follows the run by other means than ``events``."""
        return start_worker(self.run, in_foreground=True)

    def events(self) -> Generator[Event, None, None]:
        """Have it train: the run's events as they happen. Closed before the end, it stops the run."""
        return train_in_worker(self.run)


class HandedOver(NamedTuple):
    """A run that goes on without this process; ``reason`` says why it waits, if it does."""

    run: RunFolder
    queued: bool
    reason: str = ""


def detached(*, offline: bool = False) -> Submission:
    """A worker at once, which outlives this process."""
    return Submission(False, offline=offline)


def queued(workspace: Path, *, priority: int = 0, after: Sequence[str] = (), offline: bool = False) -> Submission:
    """A place in the queue, behind the runs that ``after`` refers to; UsageError if there is none of that name."""
    return Submission(True, priority, [find_run(workspace, reference).id for reference in after], offline)


@overload
def train(
    catalog: Catalog, resolved: Resolved, workspace: Path, how: Foreground, *, name: str = "", say: Say = silent
) -> Here | InWorker: ...


@overload
def train(
    catalog: Catalog, resolved: Resolved, workspace: Path, how: Submission, *, name: str = "", say: Say = silent
) -> HandedOver: ...


def train(
    catalog: Catalog,
    resolved: Resolved,
    workspace: Path,
    how: Foreground | Submission,
    *,
    name: str = "",
    say: Say = silent,
) -> Here | InWorker | HandedOver:
    """Start a new run. Its folder is made when all that can be wrong with it has been looked for.

    ``say`` hears of downloads and the like where this process trains. RunError if the folder cannot be made or nothing
    can be started; what building the components raises.
    """
    if isinstance(how, Submission):
        return _handed_over(submit(catalog, resolved, workspace, how, name=name), how)
    if not needs_worker(resolved):
        from dlkit.engine.start import start

        context = make_context(catalog, workspace, offline=how.offline, say=say)
        return Here(start(catalog, resolved, workspace, context, name=name))
    from dlkit.engine.build import trainer_class

    trainer_class(catalog, resolved)  # what takes torch to know is said before there is a run
    return InWorker(submit(catalog, resolved, workspace, detached(offline=how.offline), name=name))


@overload
def resume(
    catalog: Catalog,
    run: RunFolder,
    how: Foreground,
    *,
    overrides: Layer | None = None,
    allow_inexact: bool = False,
    workspace: Path | None = None,
    say: Say = silent,
) -> Here | InWorker: ...


@overload
def resume(
    catalog: Catalog,
    run: RunFolder,
    how: Submission,
    *,
    overrides: Layer | None = None,
    allow_inexact: bool = False,
    workspace: Path | None = None,
    say: Say = silent,
) -> HandedOver: ...


def resume(
    catalog: Catalog,
    run: RunFolder,
    how: Foreground | Submission,
    *,
    overrides: Layer | None = None,
    allow_inexact: bool = False,
    workspace: Path | None = None,
    say: Say = silent,
) -> Here | InWorker | HandedOver:
    """Go on with a run from its last checkpoint; ``overrides`` are options of the engine, more epochs say.

    ``workspace`` has the data that this process trains on, where that is not the run's own: of a copied run, say.
    UsageError: nothing left to do, or it would not be exact and ``allow_inexact`` is not given; RunError: it is alive,
    of a newer format, has no checkpoint that can be read, or nothing can be started.
    """
    if isinstance(how, Submission):
        resubmit(catalog, run, how, overrides=overrides, allow_inexact=allow_inexact)
        return _handed_over(run, how)
    if needs_worker(stored_config(catalog, run, readable(run), overrides)):
        given = detached(offline=how.offline)
        resubmit(catalog, run, given, overrides=overrides, allow_inexact=allow_inexact)
        return InWorker(run)
    from dlkit.engine import start

    context = make_context(catalog, workspace or run.path.parent.parent, offline=how.offline, say=say)
    return Here(start.resume(catalog, run, context, overrides=overrides, allow_inexact=allow_inexact))


def next_attempt(catalog: Catalog, run: RunFolder, say: Say) -> Attempt:
    """What a job's worker has its processes do: a submitted run's beginning, or on from its last checkpoint."""
    from dlkit.engine import start

    record = readable(run)
    job = job_of(record)
    context = make_context(catalog, run.path.parent.parent, offline=bool(job.get("offline")), say=say)
    overrides = Layer("job", {"engine": job["overrides"]}) if job.get("overrides") else None
    if "fingerprint" not in record:  # it has never been built
        return start.begin(catalog, run, context, overrides=overrides)
    return start.resume(
        catalog,
        run,
        context,
        overrides=overrides,
        allow_inexact=bool(job.get("allow_inexact")),
        inexact=tuple(job.get("inexact", ())),
        supervised=True,
    )


def _handed_over(run: RunFolder, submission: Submission) -> HandedOver:
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
