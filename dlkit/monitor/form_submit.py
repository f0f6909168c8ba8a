"""From a form to a run: its folder, and whoever is to start it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from dlkit.catalog import Catalog
from dlkit.errors import RunError, UsageError
from dlkit.jobs.queue import wake, why
from dlkit.jobs.submit import start_worker, submit
from dlkit.jobs.table import Submission
from dlkit.monitor.form import Checked
from dlkit.runs.folder import RunFolder
from dlkit.runs.index import find_run


class Submitted(NamedTuple):
    """A run that was handed over; ``reason`` says why it waits, if it does."""

    run: RunFolder
    queued: bool
    reason: str = ""


def hand_in(checked: Checked, catalog: Catalog, workspace: Path, *, queued: bool) -> Submitted:
    """Make the run and have it started: now in a worker of its own, or by the queue. DlkitError says why not."""
    if checked.resolved is None:
        raise UsageError("the form has problems")
    if not queued and (checked.priority or checked.after):
        raise UsageError("priority and after go with the queue: queue the run, or empty them")
    after = [find_run(workspace, reference).id for reference in checked.after]
    submission = Submission(queued, checked.priority if queued else 0, after)
    run = submit(catalog, checked.resolved, workspace, submission, name=checked.name)
    try:
        if queued:
            wake(workspace)
            return Submitted(run, True, why(workspace, run.id))
        start_worker(run)
    except OSError as error:
        raise RunError(f"{run.id} is there, but nothing can be started: {error.strerror or error}") from error
    return Submitted(run, False)
