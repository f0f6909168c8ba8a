"""The family of a fork: the runs that it comes from, and those that branched off from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from dlkit.runs.folder import Summary
from dlkit.runs.run_record import RunRecord


class Member(NamedTuple):
    """A run of the family, ``depth`` branches below the oldest; it branched off at ``step`` of the one above it.

    ``run`` is None of one that is gone. ``own``: it is the run that is asked about.
    """

    id: str
    depth: int
    step: int | None
    run: Summary | None
    own: bool = False


def family(identity: str, record: RunRecord, runs: Sequence[Summary]) -> list[Member]:
    """From the oldest down, those that branched off earlier first; empty of a run that has neither. ``runs``: all
    of the workspace."""
    known = {run.id: run for run in runs}
    line = _line(record)
    found = [Member(name, depth, step, known.get(name)) for depth, (name, step) in enumerate(line)]
    origin = record.get("forked_from")
    own = Member(identity, len(line), origin.get("step") if origin else None, known.get(identity), own=True)
    below = list(_below(identity, len(line) + 1, runs, {identity}))
    return [*found, own, *below] if found or below else []


def _line(record: RunRecord) -> list[tuple[str, int | None]]:
    """Ancestors, the oldest first, each with the step at which it left its own parent."""
    origin = record.get("forked_from")
    if not origin:
        return []
    names = [origin.get("id", ""), *(entry["id"] for entry in origin.get("before", ()))]
    left: list[int | None] = [*(entry["step"] for entry in origin.get("before", ())), None]
    return list(zip(names, left, strict=True))[::-1]


def _below(parent: str, depth: int, runs: Sequence[Summary], seen: set[str]) -> Iterator[Member]:
    for run in sorted((run for run in runs if parent_of(run)[0] == parent), key=lambda run: parent_of(run)[1]):
        if run.id not in seen:  # two folders that name each other are somebody's joke
            seen.add(run.id)
            yield Member(run.id, depth, parent_of(run)[1], run)
            yield from _below(run.id, depth + 1, runs, seen)


def parent_of(run: Summary) -> tuple[str, int]:
    """The run that a fork branched off from, and where; of none ``("", 0)``."""
    name, at, step = run.parent.rpartition("@")
    return (name, int(step)) if at and step.isdecimal() and len(step) < 20 else ("", 0)
