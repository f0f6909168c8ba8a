"""Runs of other machines as a list has them: what these said of them last."""

from __future__ import annotations

from collections.abc import Mapping

from dlkit.bounded import DOCUMENT
from dlkit.runs import mirrors
from dlkit.runs.folder import Summary, from_afar


def listed(name: str) -> list[Summary]:
    """What a machine said last of all its runs, newest first."""
    # No list yet, or one that was cut short by a full disk: the next answer brings all of it again.
    try:
        return in_order(name, mirrors.read(mirrors.place(name) / "list.json", DOCUMENT))
    except (OSError, ValueError):
        return []


def in_order(name: str, told: Mapping[str, object]) -> list[Summary]:
    """Summaries of what a machine said, by the run's id; newest first."""
    # Asked for once: a thousand runs of one machine are silent together.
    quiet = mirrors.silence(name)
    # What no folder here may be called is left out: an id from afar becomes a path as soon as somebody opens the run.
    found = [from_afar(name, run, fields, quiet) for run, fields in told.items() if mirrors.RUN.fullmatch(run)]
    return sorted(found, key=lambda run: (run.created, run.id), reverse=True)
