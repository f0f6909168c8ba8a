"""``service.json``: what a workspace's service knows of the jobs that were going, over the end of the machine.

Run folders do not tell which of the interrupted runs died with the machine: one that somebody killed a month ago says
``running`` like one that a power cut ended. So the service keeps a list while it is alive; what is not on it when it
comes back is nobody's to start.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from dlkit.bounded import SETTINGS, read_json
from dlkit.runs.files import write_json
from dlkit.runs.lock import holder

FORMAT = 1
SEEN_SECONDS = 30.0
"""How often the service says that it is alive, where nothing else is to be said."""


def lock_of(workspace: Path) -> Path:
    """Held by the workspace's service."""
    return workspace.resolve() / "service.lock"


def process_of(workspace: Path) -> int | None:
    """The process that keeps the list, if there is one."""
    return holder(lock_of(workspace))


@dataclass
class Memory:
    """``seen``: when it was last alive, in UTC seconds; 0: never, so that nothing is known of what was going.

    ``going`` has the ids of jobs with the time at which each was last seen alive. ``told_to_end``: when, and in which
    boot of the machine, it was itself told to end. ``tries`` count, by id, how often a job was had to go on from the
    same checkpoint: its step (-1: none) and the count. ``left`` says of jobs why they were not had to go on.
    """

    workspace: Path
    seen: float = 0.0
    going: dict[str, float] = field(default_factory=dict)
    told_to_end: tuple[float, str] = (0.0, "")
    tries: dict[str, tuple[int, int]] = field(default_factory=dict)
    left: dict[str, str] = field(default_factory=dict)

    def write(self) -> None:
        """On disk when this returns; OSError if it cannot be written."""
        self.seen = time.time()
        told = {
            "format": FORMAT,
            "seen": self.seen,
            "going": self.going,
            "told_to_end": list(self.told_to_end),
            "tries": self.tries,
            "left": self.left,
        }
        write_json(_path(self.workspace), told)


def remembered(workspace: Path) -> Memory:
    """What the last service of a workspace knew; of a file that is damaged or not there, nothing."""
    with suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
        return _understood(workspace, read_json(_path(workspace), SETTINGS))
    return Memory(workspace)


def _understood(workspace: Path, told: Mapping[str, object]) -> Memory:
    """TypeError, ValueError, KeyError: not as ``Memory.write`` writes it."""
    fields = cast("Mapping[str, Any]", told)
    if fields["format"] != FORMAT:
        return Memory(workspace)
    moment, boot = fields["told_to_end"]
    return Memory(
        workspace,
        float(fields["seen"]),
        {str(name): float(last) for name, last in fields["going"].items()},
        (float(moment), str(boot)),
        {str(name): (int(step), int(count)) for name, (step, count) in fields["tries"].items()},
        {str(name): str(why) for name, why in fields["left"].items()},
    )


def _path(workspace: Path) -> Path:
    return workspace.resolve() / "service.json"


def boot() -> str:
    """A word for the time since the machine was last started; empty where the system does not say."""
    path = Path("/proc/sys/kernel/random/boot_id")
    if sys.platform != "darwin":
        with suppress(OSError):
            return path.read_text(encoding="ascii").strip()
        return ""
    import psutil  # here: the service of a Linux machine does without

    return str(int(psutil.boot_time()))
