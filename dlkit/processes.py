"""What must be known of processes: parents that die, and the system's out-of-memory killer."""

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


def die_with_parent(number: int = signal.SIGKILL, supervisor: int = 0) -> None:
    """Have this process end when its parent does, or ``supervisor``, if it is gone already.

    Linux does it; elsewhere a thread looks five times a second.
    """
    parent = os.getppid()
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
    else:
        threading.Thread(target=_watch, args=(parent, supervisor, number), daemon=True).start()
    if os.getppid() != parent or not _is_alive(supervisor):  # it was gone before we could ask
        os.kill(os.getpid(), number)


def _watch(parent: int, supervisor: int, number: int) -> None:
    while os.getppid() == parent and _is_alive(supervisor):
        time.sleep(0.2)
    os.kill(os.getpid(), number)


def _is_alive(process: int) -> bool:
    if not process:
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def oom_kills(vmstat: Path = VMSTAT) -> int:
    """How many processes this machine has killed for want of memory since it started; 0 where it does not say."""
    try:
        lines = vmstat.read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)
