"""How many CPU cores this process may use. Light: help loads it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

ALLOTTED = "DLKIT_CORES"
"""Set in the environment of processes that train: what their job was given of the cores, which OMP_NUM_THREADS says to
torch then. Where that alone is set, it is the user's."""
GROUPS = Path("/sys/fs/cgroup")
OWN_GROUP = Path("/proc/self/cgroup")


class Cores(NamedTuple):
    """How many cores each process of a run may have; ``why`` they are not all that there are, if so."""

    free: int
    why: str = ""


def own_cores() -> int:
    """Cores that this process may run on: those of its affinity (taskset, Slurm), no more than its control groups'
    quota of CPU time (a container's ``--cpus``), which neither Python nor torch looks at; 1 at least.
    """
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(there, int(quota())))


def share(processes: int) -> dict[str, str]:
    """What to set in the environment of so many processes, so that together they fill the machine; nothing where the
    user says how many threads there are.
    """
    if "OMP_NUM_THREADS" in os.environ:
        return {}
    return dict.fromkeys(("OMP_NUM_THREADS", ALLOTTED), str(max(1, own_cores() // processes)))


def quota(groups: Path = GROUPS, own: Path = OWN_GROUP) -> float:
    """Cores' worth of time that the control groups allow; a large number where they set no limit.

    The smallest of the process's own group and of all above it: each holds for what is inside.
    """
    limits = [_UNLIMITED]
    for line in _read(own).splitlines():
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if not controllers:  # version 2
            limits += [_limit(_read(folder / "cpu.max").split()) for folder in _upwards(groups, path)]
        elif "cpu" in controllers.split(","):
            for folder in _upwards(groups / controllers, path) + _upwards(groups / "cpu", path):
                limits.append(_limit([_read(folder / f"cpu.cfs_{part}_us").strip() for part in ("quota", "period")]))
    return min(limits)


_UNLIMITED = 1e6


def _upwards(root: Path, path: str) -> list[Path]:
    """The group's folder and those above it. In a container only the root is there, and is the container's."""
    inside = Path(path.lstrip("/"))
    return [root / part for part in (inside, *inside.parents) if ".." not in part.parts]


def _limit(words: list[str]) -> float:
    """``["150000", "100000"]`` → 1.5; no limit is "max" or −1."""
    try:
        time, period = int(words[0]), int(words[1])
    except (ValueError, IndexError):
        return _UNLIMITED
    return time / period if time > 0 and period > 0 else _UNLIMITED


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):  # not there, or not Linux
        return ""
