"""The built-in launchers: the command that runs a job's training processes.

A launcher is a function that gives a command line, and nothing else: starting it, watching it and starting it again are
the supervisor's, the same for all of them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dlkit.errors import UsageError
from dlkit.interpreter import python

if TYPE_CHECKING:
    from dlkit.config import Config

RANK = "dlkit.jobs.rank"


def local(run_folder: Path, nproc: int, config: Config | None) -> list[str]:
    """One process on this machine."""
    if nproc != 1:
        raise UsageError(
            f"job.nproc = {nproc}: launcher 'local' starts one process; launcher 'torchrun' starts several"
        )
    return python(RANK, str(run_folder))


def torchrun(run_folder: Path, nproc: int, config: Config | None) -> list[str]:
    """Several on this machine. Restarts are the supervisor's: a process that died takes the others with it."""
    return python(
        "dlkit.jobs.torchrun",
        "--standalone",
        "--local-addr=127.0.0.1",  # the host's own name need not resolve
        f"--nproc-per-node={nproc}",
        "--max-restarts=0",  # they are the supervisor's, which knows why a process died
        "--no-python",  # its own way of starting Python would put the current folder on the path
        *python(RANK, str(run_folder)),
    )
