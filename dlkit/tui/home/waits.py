"""Why runs wait, looked at only while some do."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from dlkit.monitor.home import WAITING

if TYPE_CHECKING:
    from dlkit.jobs.queue_state import QueueState

SECONDS = 2.0
"""Between two looks: every run.json's signature, the devices, and who has them."""


class Waits:
    """``poll()``, by the poller's thread: the reasons by id, or None if nothing is new."""

    def __init__(self, workspace: Path, needed: Callable[[], bool]) -> None:
        self._workspace, self._needed = workspace, needed
        self._queue: QueueState | None = None
        self._looked = -1e9
        self._told: Mapping[str, str] | None = None

    def poll(self) -> Mapping[str, str] | None:
        if not self._needed() or time.monotonic() - self._looked < SECONDS:
            return None
        from dlkit.jobs.queue import listing
        from dlkit.jobs.queue_state import QueueState

        self._queue = self._queue or QueueState(self._workspace)
        found = {entry.id: entry.why for entry in listing(self._workspace, self._queue) if entry.state in WAITING}
        self._looked = time.monotonic()
        if found == self._told:
            return None
        self._told = found
        return found
