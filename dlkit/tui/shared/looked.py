"""When somebody last looked at a workspace: what has ended since is told first."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from dlkit.tui.shared import settings

MOST = 50
"""Workspaces that are remembered, the last ones."""


def last(workspace: Path) -> float:
    """UTC seconds; of a workspace that nobody has looked at, now: all there is lies before it."""
    return _all().get(str(workspace.resolve()), time.time())


def keep(workspace: Path) -> None:
    """Somebody has looked until now."""
    name = str(workspace.resolve())
    before = [[path, moment] for path, moment in _all().items() if path != name]
    settings.keep("looked", [*before, [name, time.time()]][-MOST:])


def _all() -> Mapping[str, float]:
    found: list[object] = settings.kept("looked", [])
    return {
        one[0]: float(one[1])
        for one in found
        if isinstance(one, list) and list(map(type, one)) in ([str, float], [str, int])
    }
