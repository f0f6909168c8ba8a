"""Runs of other machines as a list has them: what these said of them last."""

from __future__ import annotations

from collections.abc import Mapping

from dlkit.bounded import DOCUMENT
from dlkit.runs import mirrors
from dlkit.runs.folder import Summary, from_afar


def listed(name: str) -> list[Summary]:
    """What a machine said last of all its runs, newest first."""
    try:
        return in_order(name, mirrors.read(mirrors.place(name) / "list.json", DOCUMENT))
    except (OSError, ValueError):
        return []


def in_order(name: str, told: Mapping[str, object]) -> list[Summary]:
    """Summaries of what a machine said, by the run's id; newest first."""
    quiet = mirrors.silence(name)
    found = [from_afar(name, run, fields, quiet) for run, fields in told.items() if mirrors.RUN.fullmatch(run)]
    return sorted(found, key=lambda run: (run.created, run.id), reverse=True)
