"""What the system's service manager is told: a command, its environment, and the name it goes by."""

from __future__ import annotations

import os
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from dlkit.errors import RunError
from dlkit.interpreter import python

CARRIED = (
    "PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS",
    "XDG_CACHE_HOME", "DLKIT_CACHE", "DLKIT_CONFIG", "DLKIT_CORES", "DLKIT_DEVICES", "DLKIT_DISABLE",
    "DLKIT_DOWNLOAD_SECONDS", "DLKIT_LOAD_SECONDS", "DLKIT_MIRROR", "DLKIT_OFFLINE", "DLKIT_SAFE_MODE",
)  # fmt: skip
"""What a job finds its programs, plugins and devices by: it is to be trained as it was. Nothing else of a shell's
environment is written into a file: it may hold secrets."""
RESTART_SECONDS = 30
"""Before a service that failed is started again: its workspace may lie on a disk that comes later."""


class Unit(NamedTuple):
    """One workspace's service."""

    name: str
    workspace: Path
    command: Sequence[str]
    environment: Mapping[str, str]


def unit_of(workspace: Path, environment: Mapping[str, str] = os.environ) -> Unit:
    """What would be installed now, for this Python and what this shell has in its environment."""
    there = workspace.resolve()
    told = {key: environment[key] for key in CARRIED if environment.get(key)}
    # Two workspaces may have the same name; a service's name takes few letters.
    letters = re.sub(r"[^A-Za-z0-9_.-]+", "-", there.name).strip("-.")[:40] or "workspace"
    name = f"dlkit-{letters}-{sha256(os.fsencode(there)).hexdigest()[:8]}"
    command = python("dlkit.jobs.service", str(there))
    return Unit(name, there, command, {**told, "DLKIT_WORKSPACE": str(there)})


class State(NamedTuple):
    """``installed``: the unit's file is there; ``current``: and says what would be installed now; ``starts``: the
    service manager starts it with the machine, or the login."""

    installed: bool
    current: bool
    starts: bool


class Manager(ABC):
    """A service manager: where a unit's file lies, what is in it, and what must be said for it to hold."""

    kind: str

    @abstractmethod
    def path(self, unit: Unit) -> Path: ...

    @abstractmethod
    def text(self, unit: Unit) -> bytes: ...

    @abstractmethod
    def lasting(self, text: bytes) -> object:
        """What a unit's file says but for the environment, which is another one in every shell."""

    @abstractmethod
    def missing(self) -> str:
        """Why nothing can be installed here; empty if it can."""

    @abstractmethod
    def commands_to_install(self, unit: Unit) -> list[list[str]]:
        """After its file was written."""

    @abstractmethod
    def commands_to_remove(self, unit: Unit) -> list[list[str]]:
        """Before its file goes."""

    @abstractmethod
    def starts(self, unit: Unit) -> bool: ...

    def state(self, unit: Unit) -> State:
        try:
            there = self.path(unit).read_bytes()
        except OSError:
            return State(installed=False, current=False, starts=False)
        current = self.lasting(there) == self.lasting(self.text(unit))
        return State(installed=True, current=current, starts=self.starts(unit))


def asked(command: Sequence[str]) -> None:
    """Say something to a service manager; RunError with its words if it refuses."""
    code, words = answer(command)
    if code:
        raise RunError(f"{' '.join(command)}: {words or f'exit code {code}'}")


def answer(command: Sequence[str]) -> tuple[int, str]:
    """Exit code and words of a service manager; 127 where its program cannot be started."""
    import subprocess

    try:
        done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return 127, str(error)
    return done.returncode, (done.stderr or done.stdout).decode(errors="replace").strip()
