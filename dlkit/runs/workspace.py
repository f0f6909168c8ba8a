"""Where a workspace is. Reading creates nothing: folders appear when something is first written."""

from __future__ import annotations

import os
from pathlib import Path

USUAL = "DLKIT_USUAL_WORKSPACE"
"""What $DLKIT_WORKSPACE was before a command set it; empty: it was not set."""
KEY = "dlkit.key"
"""A workspace's key, by which it knows the runs that it made (``runs.own``)."""


def locate(option: str | None = None) -> Path:
    """The workspace: ``--workspace``, else $DLKIT_WORKSPACE, else ``./workspace``. It need not exist."""
    return Path(option or os.environ.get("DLKIT_WORKSPACE") or "workspace").expanduser()


def usual() -> Path:
    """The workspace that is meant where none is named, at the shell that the command was typed in: for the time of a
    command ``--workspace`` is in $DLKIT_WORKSPACE, where its processes and its plugins find it."""
    return Path(os.environ.get(USUAL, os.environ.get("DLKIT_WORKSPACE")) or "workspace").expanduser()


def prepared(workspace: Path) -> Path:
    """Where features that trainers have computed are kept; deleting it costs time, not results."""
    return workspace / "cache" / "prepared"
