"""``dlkit train TASK … --estimate``: will it fit, and how long? Nothing is trained, and nothing is left."""

from __future__ import annotations

import shutil
from pathlib import Path

from dlkit.cli.flags import Words
from dlkit.config import Resolved
from dlkit.errors import UsageError
from dlkit.jobs.estimating import estimate
from dlkit.present.estimate import told
from dlkit.present.output import print_json, print_result, say_meanwhile
from dlkit.runs.workspace import locate

DOES_NOT_FIT = 1
"""The exit code: the run would have failed."""
_STARTING = ("detach", "queue", "name", "priority", "after", "cpu-slots")


def tell_estimate(resolved: Resolved, words: Words) -> int:
    """Take a few steps elsewhere, and say what they tell; 1 if the run would not fit."""
    if there := [word for word in _STARTING if word in words.switches or word in words.values]:
        raise UsageError(f"--estimate trains nothing: --{there[0]} does not go with it")
    workspace = locate(words.values.get("workspace"))
    as_json = "json" in words.switches
    silent = as_json or "quiet" in words.switches
    found = estimate(resolved, workspace, say=(lambda stage: None) if silent else _say_stage)
    free = _free(workspace)
    if as_json:
        print_json({"task": resolved.task.name, **found.to_json(), "free_disk": free})
    else:
        print_result("\n".join(told(found, free)))
    return 0 if found.fits else DOES_NOT_FIT


def _say_stage(stage: str) -> None:
    say_meanwhile(f"trying a few steps: {stage} …")


def _free(workspace: Path) -> int:
    """Bytes that the disk has where the run would lie."""
    place = workspace.absolute()
    while not place.exists():
        place = place.parent
    return shutil.disk_usage(place).free
