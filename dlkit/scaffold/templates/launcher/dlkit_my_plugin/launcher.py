"""The command that runs a job's processes. Starting it, watching it and starting it again is the supervisor's."""

from __future__ import annotations

from pathlib import Path

from dlkit.jobs.launchers import local, torchrun

from dlkit_my_plugin.options import Options


def command(run_folder: Path, nproc: int, config: Options) -> list[str]:
    """As dlkit's own launchers, by ``nice``: it becomes what it starts, so that ending it ends that."""
    start = local if nproc == 1 else torchrun
    return ["nice", "-n", str(config.niceness), *start(run_folder, nproc, None)]
