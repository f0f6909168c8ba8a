"""Starting processes that outlive the one that starts them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

_started: list[subprocess.Popen[bytes]] = []
"""Kept until they have ended: what is forgotten while it runs is warned of, and stays a zombie."""


def detach(module: str, words: Sequence[str], output: Path) -> subprocess.Popen[bytes]:
    """Run ``python -m module …`` in a session of its own; what it prints is appended to ``output``."""
    _started[:] = [process for process in _started if process.poll() is None]
    with output.open("ab") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *words],
            stdin=subprocess.DEVNULL,  # a process that reads from a terminal it does not have is stopped by it
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a closed terminal sends SIGHUP to its session, and Ctrl-C goes to its group
        )
    _started.append(process)
    return process
