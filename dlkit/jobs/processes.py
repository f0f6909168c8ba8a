"""What a supervisor must know of processes: parents that die, and the system's out-of-memory killer."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from pathlib import Path

_PR_SET_PDEATHSIG = 1
VMSTAT = Path("/proc/vmstat")


def die_with_parent(number: int = signal.SIGKILL, parent: int | None = None) -> None:
    """Have this process end when its parent does. Linux does it; elsewhere a thread looks five times a second."""
    parent = os.getppid() if parent is None else parent
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
    else:
        threading.Thread(target=_watch, args=(parent, number), daemon=True).start()
    if os.getppid() != parent:  # it was gone before we could ask
        os.kill(os.getpid(), number)


def _watch(parent: int, number: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.2)
    os.kill(os.getpid(), number)


def oom_kills(vmstat: Path = VMSTAT) -> int:
    """How many processes this machine has killed for want of memory since it started; 0 where it does not say."""
    try:
        lines = vmstat.read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)
