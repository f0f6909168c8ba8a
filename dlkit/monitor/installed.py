"""Which plugins are installed, looked at again and again: who installs one need not open the interface anew."""

from __future__ import annotations

import site
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import invalidate_caches
from pathlib import Path

from dlkit.loading.found import installed

SETTLING = 10.0
"""Seconds in which an installation writes its files, the folder that lists them being there already."""


@dataclass(frozen=True)
class Change:
    """``new`` plugins can be loaded now; of ``stale`` ones this process may hold other code than is installed."""

    new: Sequence[str]
    stale: Sequence[str]


class Installed:
    """Asked by one thread: looks at the times of folders, and at packages only where one has changed."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._times: Mapping[str, int] | None = None
        self._known: Mapping[str, tuple[str, str]] = {}
        self._paths: set[Path] = set()
        self._until = 0.0

    def poll(self) -> Change | None:
        """What has changed since it was last asked; None: nothing. The first time it learns what there is."""
        before, self._times = self._times, _times()
        if before is None:
            self._known, self._paths = _plugins(), _path_files()
            return None
        if before != self._times:
            self._until = self._clock() + SETTLING
        if self._clock() > self._until:
            return None
        invalidate_caches()
        self._follow_paths()
        known, self._known = self._known, _plugins()
        new = [name for name in self._known if name not in known]
        stale = [name for name, what in known.items() if self._known.get(name) != what]
        return Change(new, stale) if new or stale else None

    def _follow_paths(self) -> None:
        """Read new .pth files: an editable package lies where one says, and Python reads them when it starts."""
        found = _path_files()
        for file in sorted(found - self._paths):
            site.addpackage(str(file.parent), file.name, None)
        self._paths = found


def _plugins() -> dict[str, tuple[str, str]]:
    """Each plugin's module and version, by name."""
    return {found.entry.name: (found.entry.value, found.version) for found in installed()}


def _times() -> dict[str, int]:
    """When each folder that packages are imported from has changed."""
    found = {}
    for name in sys.path:
        try:
            found[name] = Path(name).stat().st_mtime_ns
        except OSError:  # there need not be one
            continue
    return found


def _path_files() -> set[Path]:
    """Those of folders that Python reads them in: elsewhere on the path they mean nothing."""
    places = [Path(name) for name in (*site.getsitepackages(), site.getusersitepackages()) if name in sys.path]
    return {file for place in places for file in place.glob("*.pth")}
