"""What counters of process and machine say: CPU time, context switches, how long a thread had no core."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, TypedDict

import psutil
import torch

from dlkit.cores import own_cores
from dlkit.engine.machine import descendants

try:
    import resource
except ImportError:  # not on Windows
    resource = None  # type: ignore[assignment]

SCHEDULED = Path("/proc/thread-self/schedstat")
"""Linux: nanoseconds for which this thread ran, and for which it was ready and waited for a core."""


class Counted(TypedDict):
    """Fields of a ``Spent`` event."""

    cpu_seconds: float
    children_cpu_seconds: float
    voluntary: int
    involuntary: int
    machine: dict[str, float]


class Used(NamedTuple):
    """What the counters of process and machine say at some moment; None where this system has no such counter."""

    cpu: float
    children: float
    voluntary: int
    involuntary: int
    delayed: float | None
    busy: float | None
    steal: float | None

    @classmethod
    def now(cls) -> Used:
        times = os.times()
        switches = resource.getrusage(resource.RUSAGE_SELF) if resource else None
        voluntary, involuntary = (switches.ru_nvcsw, switches.ru_nivcsw) if switches else (0, 0)
        return cls(times.user + times.system, _children(times), voluntary, involuntary, _delayed(), *_machine())

    def since(self, before: Used) -> Counted:
        """The fields of a ``Spent`` that are counters' differences, and what is known of the machine."""
        differences: dict[str, float | None] = {
            "delayed": _difference(self.delayed, before.delayed),
            "busy": _difference(self.busy, before.busy),
            "steal": _difference(self.steal, before.steal),
            "cores": psutil.cpu_count(),
            "usable": own_cores(),
            "load": _load(),
            "threads": torch.get_num_threads(),
        }
        return {
            "cpu_seconds": round(self.cpu - before.cpu, 3),
            # Of those that ended without being waited for, what they had used is known no more.
            "children_cpu_seconds": round(max(0.0, self.children - before.children), 3),
            "voluntary": max(0, self.voluntary - before.voluntary),
            "involuntary": max(0, self.involuntary - before.involuntary),
            "machine": {name: round(value, 3) for name, value in differences.items() if value is not None},
        }


def _difference(now: float | None, before: float | None) -> float | None:
    return None if now is None or before is None else max(0.0, now - before)


def _children(times: os.times_result) -> float:
    """CPU seconds of the processes below this one, those that have ended included."""
    seconds = times.children_user + times.children_system
    with suppress(OSError, psutil.Error):
        for pid in descendants(os.getpid())[1:]:
            with suppress(psutil.Error):  # it has just ended
                used = psutil.Process(pid).cpu_times()
                seconds += used.user + used.system
    return seconds


def _delayed() -> float | None:
    try:
        return int(SCHEDULED.read_text().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return None


def _machine() -> tuple[float | None, float | None]:
    """CPU seconds of all cores that were used, and that the host kept for others."""
    try:
        times = psutil.cpu_times()
    except (OSError, RuntimeError, ValueError, psutil.Error):
        return None, None
    steal = getattr(times, "steal", None)
    # Of Linux: what guests used is in user and nice already.
    names = ("user", "nice", "system", "irq", "softirq")
    return sum(float(getattr(times, name, 0.0)) for name in names), steal


def _load() -> float | None:
    try:
        return os.getloadavg()[0]
    except (OSError, AttributeError):
        return None
