"""Ending a run from outside the process that trained it: it is gone, and did not say how it ended."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from dlkit.errors import RunError
from dlkit.events import Event, Finished, Notice, Retried
from dlkit.json_types import Json
from dlkit.runs.folder import RunFolder, summarise
from dlkit.runs.lock import WRITER, RunLock, holder
from dlkit.runs.log import EventLog

PATIENCE = 10.0
"""Seconds that a process which was killed, or whose parent was, may take to be gone."""


def end_run(
    run: RunFolder,
    status: str,
    reason: str,
    *,
    traceback: str = "",
    known: Mapping[str, Any] | None = None,
    cause: Mapping[str, Json] | None = None,
) -> None:
    """Record that a run ended as ``stopped`` or ``failed``; the caller holds the supervisor's part of run.lock.

    ``known``: ``steps``, ``seconds``, ``train_seconds``, ``metrics``, as far as the process told; else its log's end.
    ``cause`` as in ``Finished``.
    """
    last, record = summarise(run), run.read()
    found: dict[str, Any] = {"steps": last.step, "seconds": last.seconds, "train_seconds": 0.0, "metrics": last.metrics}
    found.update(known or {})
    event = Finished(
        run=run.id,
        status=status,
        reason=reason,
        traceback=traceback,
        cause=cause or {},
        metrics=found["metrics"],
        seconds=found["seconds"],
        train_seconds=found["train_seconds"],
        steps=found["steps"],
    )
    try:
        record_event(run, event)
    finally:  # run.json is the smaller, and may be written where the log cannot
        run.update(
            state=status,
            reason=reason,
            result={
                "step": found["steps"],
                "total_steps": record.get("total_steps", 0),
                "last": _finite(last.last),
                "best": _finite(last.best),
                "metrics": {name: value for name, value in found["metrics"].items() if _finite(value) is not None},
                "updated": round(time.time(), 3),
                "seconds": found["seconds"],
            },
        )


def _finite(value: float | None) -> float | None:
    """What run.json has a word for: it is strict JSON. The log has the rest."""
    return value if value is not None and math.isfinite(value) else None


def record_event(run: RunFolder, event: Finished | Notice | Retried) -> Event:
    """Put an event into the log, durably."""
    with writer_lock(run):
        log = EventLog(run.events)
        try:
            recorded = log.append(event)
            log.sync()
        finally:
            log.close()
    return recorded


@contextmanager
def writer_lock(run: RunFolder) -> Iterator[None]:
    """With the writer's part of run.lock, once the process that wrote is gone."""
    deadline = time.monotonic() + PATIENCE
    with ExitStack() as stack:
        while not _taken(run, stack, last=time.monotonic() > deadline):
            time.sleep(0.01)  # one that was killed holds its lock until its memory is given back
        yield


def _taken(run: RunFolder, stack: ExitStack, *, last: bool) -> bool:
    try:
        stack.enter_context(RunLock(run.lock, WRITER))
    except BlockingIOError as error:
        if last:
            raise RunError(f"{run.id} is still being written, by process {holder(run.lock)}") from error
        return False
    return True
