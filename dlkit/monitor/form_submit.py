"""From a form to a run: its folder, and whoever is to start it."""

from __future__ import annotations

from pathlib import Path

from dlkit.catalog import Catalog
from dlkit.errors import UsageError
from dlkit.jobs import handover
from dlkit.monitor.form import Checked
from dlkit.monitor.form_fork import hand_in_fork


def hand_in(checked: Checked, catalog: Catalog, workspace: Path, *, queued: bool) -> handover.HandedOver:
    """Make the run and have it started: now in a worker of its own, or by the queue. DlkitError says why not."""
    if checked.resolved is None:
        raise UsageError("the form has problems")
    if not queued and (checked.priority or checked.after):
        raise UsageError("priority and after go with the queue: queue the run, or empty them")
    how = handover.detached()
    if queued:
        how = handover.queued(workspace, priority=checked.priority, after=checked.after)
    if checked.form.fork is not None:
        return hand_in_fork(checked, catalog, workspace, how)
    said: list[str] = []
    found = handover.hand_over(
        catalog, checked.resolved, workspace, how, name=checked.name, estimate=checked.form.estimate, say=said.append
    )
    # What gpu_memory = "auto" came to is told with why it waits.
    return found._replace(reason="; ".join(text for text in (*said[-1:], found.reason) if text))
