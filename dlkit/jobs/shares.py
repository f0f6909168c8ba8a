"""Shares of a machine: how many devices a workspace, or a person, may hold, and how long a turn is.

Plain settings in three files. The workspace's own, ``scheduler.json`` beside its runs, has the CPU slots too. The
person's, ``queue.json`` in ~/.config/dlkit, holds for all workspaces, and so does the machine's, /etc/dlkit/queue.json,
which whoever looks after the machine writes for each of its users. What is no number there sets no limit.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from dlkit.bounded import SETTINGS, read_json
from dlkit.errors import UsageError
from dlkit.interpreter import MOST_PROCESSES
from dlkit.jobs.allocate import Machine, Quota, machine_now
from dlkit.runs.files import write_json

FORMAT = 1
MACHINE = Path("/etc/dlkit/queue.json")
LONGEST_TURN = 30 * 86400.0
SHORTEST_TURN = 1.0


class Shares(NamedTuple):
    """What holds of a workspace's queue. ``turn``: seconds after which a job that runs gives way to an equal one that
    has waited as long; None: never."""

    cpu_slots: int
    quotas: tuple[Quota, ...] = ()
    turn: float | None = None


def person() -> Path:
    """The person's own file: in $DLKIT_CONFIG, else ``dlkit`` in $XDG_CONFIG_HOME or ~/.config."""
    chosen = os.environ.get("DLKIT_CONFIG")
    base = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "dlkit"
    return (Path(chosen) if chosen else base) / "queue.json"


def _file(workspace: Path) -> Path:
    return workspace.resolve() / "scheduler.json"  # it may be reached by a link


def shares(workspace: Path) -> Shares:
    """What holds now: read again each time, since anybody may change it while a scheduler runs."""
    own = _read(_file(workspace))
    here = str(workspace.resolve())
    limits = (
        (_count(own, "quota"), here, "this workspace's quota"),
        (_count(_read(person()), "quota"), "", "your quota"),
        (_count(_read(MACHINE), "quota"), "", f"the quota of each user of this machine ({MACHINE})"),
    )
    quotas = tuple(Quota(most, where, whose) for most, where, whose in limits if most is not None)
    turn = own.get("turn")
    usable = isinstance(turn, (int, float)) and SHORTEST_TURN <= turn <= LONGEST_TURN
    return Shares(_count(own, "cpu_slots") or 1, quotas, float(turn) if usable else None)  # type: ignore[arg-type]  # a number


def machine_of(workspace: Path) -> Machine:
    """This machine as the jobs of a workspace may use it."""
    found = shares(workspace)
    return machine_now(found.cpu_slots)._replace(quotas=found.quotas)


def cpu_slots(workspace: Path) -> int:
    """How many jobs may share this machine's CPU; 1 unless somebody has said otherwise."""
    return shares(workspace).cpu_slots


def set_cpu_slots(workspace: Path, count: int) -> None:
    """Say it."""
    change(workspace, cpu_slots=count)


def change(workspace: Path, **settings: int | float | None) -> None:
    """Set a workspace's ``cpu_slots``, ``quota`` or ``turn``, None taking it back; a scheduler that runs takes it over.
    UsageError for what none can be.
    """
    for name in ("cpu_slots", "quota"):
        _check(name, settings.get(name))
    turn = settings.get("turn")
    if turn is not None and not SHORTEST_TURN <= turn <= LONGEST_TURN:
        raise UsageError(f"--turn {turn:g}: must be {SHORTEST_TURN:g} s to 30 days")
    workspace.mkdir(parents=True, exist_ok=True)
    _change(_file(workspace), settings)


def change_person(quota: int | None) -> None:
    """How many devices this user's jobs may hold in all workspaces; None: as many as there are."""
    _check("user_quota", quota)
    person().parent.mkdir(parents=True, exist_ok=True)
    _change(person(), {"quota": quota})


def _check(name: str, count: int | float | None) -> None:
    if count is not None and not 1 <= count <= MOST_PROCESSES:
        raise UsageError(f"--{name.replace('_', '-')} {count}: must be 1 to {MOST_PROCESSES}")


def _change(path: Path, settings: Mapping[str, object]) -> None:
    # In a file, not in the scheduler: that ends when nothing waits, and the next one goes on with the same.
    kept = {**_read(path), **settings, "format": FORMAT}
    write_json(path, {name: value for name, value in kept.items() if value is not None})


def _read(path: Path) -> Mapping[str, object]:
    try:
        return read_json(path, SETTINGS)
    except (OSError, ValueError):
        return {}


def _count(found: Mapping[str, object], name: str) -> int | None:
    value = found.get(name)
    usable = isinstance(value, int) and not isinstance(value, bool) and value >= 1
    return min(int(value), MOST_PROCESSES) if usable else None  # type: ignore[call-overload]  # an int
