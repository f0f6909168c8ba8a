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

The command line, the Python interface and the processes of a job call this; callers add their talk, and nothing else.
The last two are ``handover``'s, which the interface calls itself: its process may never load torch.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, overload

from dlkit.catalog import Catalog
from dlkit.config import Layer, Resolved
from dlkit.data.context import make_context, silent
from dlkit.events import Event
from dlkit.jobs.detach import start_worker
from dlkit.jobs.foreground import needs_worker, train_here, train_in_worker
from dlkit.jobs.forking import Plan, hand_over_fork, make_fork
from dlkit.jobs.handover import HandedOver, hand_over, hand_over_again, heard_orders, watched
from dlkit.jobs.job_record import Submission, job_of
from dlkit.jobs.submit import refuse_queued, resubmit, submit
from dlkit.runs.folder import RunFolder
from dlkit.runs.stored import readable, stored_config

if TYPE_CHECKING:
    from dlkit.engine.attempt import Attempt
    from dlkit.engine.build import BuildData
    from dlkit.engine.signals import StopSignals

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
        return hand_over(catalog, resolved, workspace, how, name=name, say=say)
    if not needs_worker(resolved):
        from dlkit.engine.start import start
        from dlkit.jobs.free_cores import FreeCores

        context = make_context(catalog, workspace, offline=how.offline, say=say)
        return Here(start(catalog, resolved, workspace, context, name=name, cores=FreeCores()))
    from dlkit.engine.build import trainer_class

    trainer_class(catalog, resolved)  # what takes torch to know is said before there is a run
    return InWorker(submit(catalog, resolved, workspace, watched(offline=how.offline), name=name, say=say))


@overload
def resume(
    catalog: Catalog,
    run: RunFolder,
    how: Foreground,
    *,
    overrides: Layer | None = None,
    given: Layer | None = None,
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
    given: Layer | None = None,
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
    given: Layer | None = None,
    allow_inexact: bool = False,
    workspace: Path | None = None,
    say: Say = silent,
) -> Here | InWorker | HandedOver:
    """Go on with a run from its last checkpoint; ``overrides`` are options of the engine, more epochs say.

    Of what a foreign run asks of the machine some is dropped, which ``say`` hears of, unless it is ``given`` again
    (``runs.orders``). ``workspace`` has the data that this process trains on, where that is not the run's own: of a
    copied run, say.
    UsageError: nothing left to do, or it would not be exact and ``allow_inexact`` is not given; RunError: it is alive,
    of a newer format, has no checkpoint that can be read, or nothing can be started.
    """
    if isinstance(how, Submission):
        return hand_over_again(
            catalog, run, how, overrides=overrides, given=given, allow_inexact=allow_inexact, say=say
        )
    record = readable(run)
    refuse_queued(run, record)
    orders = heard_orders(run, record, given, say)
    if needs_worker(stored_config(catalog, run, record, overrides, orders)):
        there = watched(offline=how.offline)
        resubmit(catalog, run, there, overrides=overrides, orders=orders, allow_inexact=allow_inexact)
        return InWorker(run)
    from dlkit.engine import start

    context = make_context(catalog, workspace or run.path.parent.parent, offline=how.offline, say=say)
    if "fingerprint" not in record:
        return Here(start.begin(catalog, run, context, overrides=overrides, orders=orders))
    return Here(start.resume(catalog, run, context, overrides=overrides, orders=orders, allow_inexact=allow_inexact))


@overload
def fork(
    catalog: Catalog, planned: Plan, workspace: Path, how: Foreground, *, name: str = "", say: Say = silent
) -> Here | InWorker: ...


@overload
def fork(
    catalog: Catalog, planned: Plan, workspace: Path, how: Submission, *, name: str = "", say: Say = silent
) -> HandedOver: ...


@overload
def fork(
    catalog: Catalog, planned: Plan, workspace: Path, how: Foreground | Submission, *, name: str = "", say: Say = silent
) -> Here | InWorker | HandedOver: ...


def fork(
    catalog: Catalog,
    planned: Plan,
    workspace: Path,
    how: Foreground | Submission,
    *,
    name: str = "",
    say: Say = silent,
) -> Here | InWorker | HandedOver:
    """Start a fork that was planned (``forking.plan``). Its folder is made when all that can be wrong with it has been
    looked for.

    UsageError: it would not be exact where ``planned`` does not allow that; otherwise as for ``train``.
    """
    if isinstance(how, Submission):
        return hand_over_fork(catalog, planned, workspace, how, name=name)
    if needs_worker(planned.resolved):
        return InWorker(make_fork(catalog, planned, workspace, watched(offline=how.offline), name=name))
    from dlkit.engine import start

    context = make_context(catalog, workspace, offline=how.offline, say=say)
    return Here(start.fork(catalog, planned, workspace, context, name=name))


def next_attempt(catalog: Catalog, run: RunFolder, say: Say, data: BuildData | None = None) -> Attempt:
    """What a job's worker has its processes do: a submitted run's beginning, or on from its last checkpoint.

    ``data``: who gives its data set, where several runs have one.
    """
    from dlkit.engine import start
    from dlkit.engine.build import build_data
    from dlkit.jobs.free_cores import FreeCores

    record = readable(run)
    job = job_of(record)
    context = make_context(catalog, run.path.parent.parent, offline=bool(job.get("offline")), say=say)
    overrides = Layer("job", {"engine": job["overrides"]}) if job.get("overrides") else None
    if "fingerprint" not in record:  # it has never been built: there is nothing yet to resume exactly
        cores = FreeCores(run)
        return start.begin(catalog, run, context, overrides=overrides, cores=cores, data=data or build_data)
    return start.resume(
        catalog,
        run,
        context,
        overrides=overrides,
        allow_inexact=bool(job.get("allow_inexact")),
        inexact=tuple(job.get("inexact", ())),
        supervised=True,
        data=data or build_data,
    )
