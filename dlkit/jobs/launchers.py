"""The built-in launchers: the command that runs a job's training processes.

A launcher is a function that gives a command line, and nothing else: starting it, watching it and starting it again are
the supervisor's, the same for all of them.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from dlkit.errors import UsageError

if TYPE_CHECKING:
    from dlkit.config import Config

RANK = "dlkit.jobs.rank"


def local(run_folder: Path, nproc: int, config: Config | None) -> list[str]:
    """One process on this machine."""
    if nproc != 1:
        raise UsageError(
            f"job.nproc = {nproc}: launcher 'local' starts one process; launcher 'torchrun' starts several"
        )
    return [sys.executable, "-m", RANK, str(run_folder)]


def torchrun(run_folder: Path, nproc: int, config: Config | None) -> list[str]:
    """Several on this machine. Restarts are the supervisor's: a process that died takes the others with it."""
    return [
        sys.executable,
        "-m",
        "dlkit.jobs.torchrun",
        "--standalone",
        "--local-addr=127.0.0.1",  # the host's own name need not resolve
        f"--nproc-per-node={nproc}",
        "--max-restarts=0",  # they are the supervisor's, which knows why a process died
        "-m",
        RANK,
        str(run_folder),
    ]


def threads_each(nproc: int) -> int:
    """CPU threads of each process, so that together they fill the machine."""
    # Those that this process may use: in a container or under taskset they are fewer than the machine has.
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, cores // nproc)
