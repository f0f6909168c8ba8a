"""What a run's folder says, read without building anything: damaged parts are left out, never raised."""

from __future__ import annotations

from typing import Any

from dlkit.events import Event, Finished, Sampled
from dlkit.monitor.record import evaluations as evaluations
from dlkit.monitor.record import flatten as flatten
from dlkit.monitor.record import latest_evaluations as latest_evaluations
from dlkit.monitor.record import stored_values as stored_values
from dlkit.runs.checkpoints import choose, complete
from dlkit.runs.folder import RunFolder


def checkpoints(run: RunFolder) -> list[dict[str, Any]]:
    """Complete checkpoints by step; ``best`` marks the one that ``best`` means now."""
    found = complete(run.path)
    best = choose(run.path, "best").step if found else None
    return [
        {
            "step": c.step,
            "best": c.step == best,
            "size": c.size,
            "folder": f"checkpoints/{c.folder.name}",
            "sha256": c.sha256,
            "metrics": dict(c.manifest.metrics),
        }
        for c in found
    ]


def samples(events: list[Event]) -> list[dict[str, Any]]:
    """Every sample on record, oldest first; ``file`` is relative to the run."""
    return [
        {"step": event.step, "kind": ref.kind, "name": ref.name, "title": ref.title, "file": ref.file}
        for event in events
        if isinstance(event, Sampled)
        for ref in event.samples
    ]


def ending(events: list[Event]) -> Finished | None:
    """How the run ended, if it said so."""
    return next((event for event in reversed(events) if isinstance(event, Finished)), None)
