"""Labelled points at which a test may kill the process: ``DLKIT_FAULT=checkpoint.written:3`` at the third passing.

Without that variable a point costs one comparison. The points lie around what must survive: an event's write, a
checkpoint's name, run.json, a job's start.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

LABELS = (
    "event.before",
    "event.torn",
    "event.after",
    "checkpoint.begun",
    "checkpoint.written",
    "checkpoint.synced",
    "checkpoint.renamed",
    "record.written",
    "record.replaced",
    "worker.locked",
    "worker.claimed",
    "worker.launched",
    "scheduler.starting",
    "scheduler.started",
    "scheduler.asking",
    "scheduler.asked",
)
STUDIES = ("study.settled", "study.made")
"""Of the process that decides what a study does next."""
FORKS = ("fork.copied", "fork.filled")
"""Of the process that makes a fork's folder: after each file, and before the folder has its name."""
# Read once: a point is passed at every event, and costs a comparison.
_label, _, _count = os.environ.get("DLKIT_FAULT", "").partition(":")
_left = int(_count or 1)


def point(label: str, first: Callable[[], object] | None = None) -> None:
    """Die here if that is asked for, after doing ``first``."""
    global _left
    if label != _label:
        return
    assert label in (*LABELS, *STUDIES, *FORKS)
    _left -= 1
    if _left == 0:
        if first is not None:
            first()
        os.kill(os.getpid(), signal.SIGKILL)  # no handler and no ``finally`` runs, as after a power cut
