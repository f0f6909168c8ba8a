"""What a run's folder says, read without building anything: damaged parts are left out, never raised."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from typing import Any

from dlkit.events import Event, Finished, Sampled
from dlkit.runs.checkpoints import choose, complete
from dlkit.runs.folder import RunFolder


def evaluations(run: RunFolder) -> list[dict[str, Any]]:
    """The lines of evaluations.jsonl, oldest first."""
    try:
        lines = run.evaluations.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
    found = []
    for line in lines:
        try:
            record = json.loads(line)
        except ValueError:  # a torn last line
            continue
        if isinstance(record, dict):
            found.append(record)
    return found


def latest_evaluations(run: RunFolder) -> dict[str, float]:
    """The metrics of the last evaluation of each split."""
    found: dict[str, float] = {}
    for record in evaluations(run):
        if isinstance(record.get("metrics"), dict):
            found.update(record["metrics"])
    return found


def stored_values(run: RunFolder) -> dict[str, Any]:
    """config.toml as plain values, not validated; empty if it cannot be read."""
    try:
        return tomllib.loads(run.config.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def flatten(values: Mapping[str, Any]) -> dict[str, Any]:
    """``{"engine": {"epochs": 3}}`` → ``{"engine.epochs": 3}``."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            flat.update({f"{key}.{name}": item for name, item in flatten(value).items()})
        else:
            flat[key] = value
    return flat


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


def how_it_ended(events: list[Event]) -> Finished | None:
    """How the run ended, if it said so."""
    return next((event for event in reversed(events) if isinstance(event, Finished)), None)
