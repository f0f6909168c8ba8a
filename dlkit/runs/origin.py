"""How a run came to be: what run.json says of it from the first moment, before anything is built."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

from dlkit.catalog import Catalog
from dlkit.config import Resolved
from dlkit.runs.environment import environment, keep
from dlkit.runs.run_record import ComponentRecord, RunRecord


def origin(catalog: Catalog, resolved: Resolved) -> RunRecord:
    """Task, components and their plugins' versions, seed, host, command, git commit. No torch."""
    components: dict[str, ComponentRecord] = {
        part: {
            "name": spec.name,
            "plugin": catalog.owner(spec).name,
            "plugin_version": catalog.owner(spec).version,
            "version": spec.version,
        }
        for part, spec in resolved.specs.items()
    }
    return {
        "task": resolved.task.name,
        "metric": resolved.task.metric,
        "direction": resolved.task.direction,
        "components": components,
        "seed": resolved.engine.seed,
        "host": socket.gethostname(),
        "command": sys.argv,
        "git": _git_commit(),
    }


def keep_environment(resolved: Resolved, folder: Path) -> None:
    """Write into a new run's folder with what it was started (``runs.environment``)."""
    packages = [spec.target.partition(":")[0].partition(".")[0] for spec in resolved.specs.values()]
    keep(folder, environment(packages))


def _git_commit() -> str:
    """The commit of the folder that the command was given in; empty outside a repository."""
    try:
        done = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
