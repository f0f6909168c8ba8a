"""The built-in launchers: the command that runs a job's training processes."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from dlkit.errors import UsageError

RANK = "dlkit.jobs.rank"


def local(run_folder: Path, nproc: int, config: Any) -> list[str]:
    """One process on this machine."""
    if nproc != 1:
        raise UsageError(
            f"job.nproc = {nproc}: launcher 'local' starts one process; launcher 'torchrun' starts several"
        )
    return [sys.executable, "-m", RANK, str(run_folder)]


def torchrun(run_folder: Path, nproc: int, config: Any) -> list[str]:
    """Several on this machine. Restarts are the supervisor's: a process that died takes the others with it."""
    return [
        sys.executable,
        "-m",
        "dlkit.jobs.torchrun",
        "--standalone",
        "--local-addr=127.0.0.1",  # the host's own name need not resolve
        f"--nproc-per-node={nproc}",
        "--max-restarts=0",
        "-m",
        RANK,
        str(run_folder),
    ]


def threads_each(nproc: int) -> int:
    """CPU threads of each process, so that together they fill the machine."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, cores // nproc)
