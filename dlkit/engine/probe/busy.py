"""Whether others computed on the machine while something was timed."""

from __future__ import annotations

import time

import psutil

NOTICED = 0.25
"""Cores in use by others, on average, from which on it is said."""


class Busy:
    """Counts from when it is made."""

    def __init__(self) -> None:
        self._began, self._own, self._all = time.monotonic(), _own(), _everybody()

    def told(self) -> list[str]:
        """What others used of the cores since; nothing where they hardly did."""
        seconds = max(1e-3, time.monotonic() - self._began)
        others = (_everybody() - self._all - (_own() - self._own)) / seconds
        if others < NOTICED:
            return []
        return [f"others used {others:.1f} of {psutil.cpu_count()} cores meanwhile: without them it may be faster"]


def _own() -> float:
    """Seconds of processors that this process and those it has started have had."""
    # Children count once they have ended, loaders within the run: until then they pass for others.
    found = psutil.Process().cpu_times()
    return float(found.user + found.system + found.children_user + found.children_system)


def _everybody() -> float:
    """The same of the whole machine."""
    found = psutil.cpu_times()
    return float(sum(getattr(found, name, 0.0) for name in ("user", "nice", "system", "irq", "softirq", "steal")))
