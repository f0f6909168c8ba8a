"""Copies of runs that lie on other machines: a mirror for each machine, below the cache folder, whose runs every reader
takes for what they are.

``runs/`` in a mirror has the files of those runs that somebody has looked at, ``list.json`` what the machine said of
all its runs, ``told/ID.json`` what it said last of one that is copied. Only ``dlkit.remote`` writes here. A mirror is
inert: it is no workspace, nothing in it is started or asked for anything, and it may be deleted at any time.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from dlkit.bounded import RECORD, json_object, read_bytes
from dlkit.folders import cache

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,30}")
"""What a machine may be called."""
RUN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}")
"""Ids of runs that a mirror holds: dlkit's own are such, and each is the name of a folder here."""
SILENT_SECONDS = 30.0
"""After so long without a word from its machine, nobody believes that a run still runs."""


class OnDemand:
    """``fetch``: brings a file of a mirrored run that is not copied with the rest. None: nobody is connected."""

    fetch: Callable[[Path, str], None] | None = None


def top() -> Path:
    """Where all mirrors lie."""
    return cache() / "remotes"


def place(name: str) -> Path:
    """The mirror of a machine."""
    return top() / name


def folder(identity: str) -> Path:
    """The folder of a run that lists call ``NAME:ID``."""
    name, _, run = identity.partition(":")
    return place(name) / "runs" / run


def name_of(run: Path) -> str:
    """The machine that a run's folder is a copy from; empty: it lies here itself."""
    parts = run.parts
    # Of nearly all runs this is the answer, which every summary waits for: the cache's place is not asked for.
    if len(parts) < 4 or parts[-2] != "runs" or parts[-4] != "remotes":
        return ""
    # A folder that somebody sent may be called so too, and is no mirror: what is asked of it goes nowhere.
    return parts[-3] if Path(*parts[:-3]).absolute() == top().absolute() else ""


CALLED = "DLKIT_CALLED"
"""In the environment of a command that somebody elsewhere asked for: what he calls this machine."""


def called(run: Path) -> str:
    """What a run is called at the command line of who will read it: ``NAME:ID`` of one that lies elsewhere, else its
    id."""
    # The asker types the hint at his own machine, where the bare id names nothing, or another run.
    asker = os.environ.get(CALLED, "")
    name = name_of(run) or (asker if NAME.fullmatch(asker) else "")
    return f"{name}:{run.name}" if name else run.name


def heard(name: str) -> float | None:
    """UTC seconds at which a machine last said something; None: never."""
    try:
        return os.stat(place(name) / "heard").st_mtime  # noqa: PTH116  # in every look at a run of its list
    except OSError:
        return None


def silence(name: str) -> str:
    """``silent since 14:03``, with the day if it is another; empty while the machine is heard."""
    moment = heard(name)
    if moment is None:
        return "never heard"
    if time.time() - moment <= SILENT_SECONDS:
        return ""
    # Of another day the hour alone would be read as today's.
    same = time.localtime(moment)[:3] == time.localtime()[:3]
    return f"silent since {time.strftime('%H:%M' if same else '%Y-%m-%d %H:%M', time.localtime(moment))}"


def told(run: Path) -> Mapping[str, object] | None:
    """What its machine said last of a mirrored run; None of one that lies here, and of one that it said nothing of."""
    name = name_of(run)
    try:
        return read(place(name) / "told" / f"{run.name}.json", RECORD) if name else None
    except (OSError, ValueError):
        return None


def read(path: Path, limit: int) -> Mapping[str, object]:
    """What ``encoded`` has written. OSError, ValueError."""
    return json_object(read_bytes(path, limit), str(path), constants=True)


def encoded(told: Mapping[str, object]) -> bytes:
    """As it is stored: metrics that are not finite are NaN and Infinity there."""
    return json.dumps(told, ensure_ascii=True, separators=(",", ":")).encode()
