"""The most memory that a process has had: what a run like it will need."""

from __future__ import annotations

import re
import resource
import sys
from contextlib import suppress
from pathlib import Path

_OWN = Path("/proc/self")
_UNIT = 1 if sys.platform == "darwin" else 1024
"""Bytes that ``ru_maxrss`` counts in."""
_PEAK_FROM_HERE = "5"
"""What makes Linux forget the highest resident size, when it is written into clear_refs."""


def forget_peak() -> None:
    """Count from here, where the system can do that."""
    with suppress(OSError):
        (_OWN / "clear_refs").write_text(_PEAK_FROM_HERE)


def peak_memory() -> int:
    """Bytes of resident memory that this process has had at most."""
    # Not ru_maxrss, where there is another: a process begins with that of whoever started it.
    with suppress(OSError):
        found = re.search(r"^VmHWM:\s+(\d+) kB", (_OWN / "status").read_text(), re.MULTILINE)
        if found is not None:
            return int(found[1]) << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT


def memory_with_children() -> int:
    """Bytes that this process and those it has started (loaders) have now; what they share counts for each."""
    import psutil

    total, own = 0, psutil.Process()
    for process in (own, *own.children(recursive=True)):
        with suppress(psutil.Error):
            total += process.memory_info().rss
    return total
