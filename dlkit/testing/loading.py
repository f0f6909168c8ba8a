"""What loading a plugin does, seen from outside: each of a package's plugins in a fresh process."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from dlkit.interpreter import python
from dlkit.testing.finding import Skipped
from dlkit.testing.probe import Loaded
from dlkit.testing.subject import Subject

SECONDS = 60.0
"""After which a plugin that is still loading is ended."""


@dataclass(frozen=True)
class Loading:
    """``loaded`` is None if the process did not come to tell: ``ended`` says how, ``said`` what it printed."""

    plugin: str
    loaded: Loaded | None
    said: str
    ended: str = ""


def loadings(subject: Subject) -> list[Loading]:
    """Of every plugin that is looked at; it is done once."""
    if "loadings" not in subject.kept:
        subject.kept["loadings"] = [_loading(subject, plugin) for plugin in subject.package.entry_points]
    return cast(list[Loading], subject.kept["loadings"])


def sound(subject: Subject) -> Iterator[tuple[str, Loaded, str]]:
    """Plugin, what loading it did, what it printed: of those that loaded. Skipped: none did, another rule says why."""
    found = [(one.plugin, one.loaded, one.said) for one in loadings(subject) if one.loaded is not None]
    usable = [one for one in found if one[1]["state"] in ("ready", "slow")]
    if not usable:
        raise Skipped("it does not load: see loading-works")
    yield from usable


def _loading(subject: Subject, plugin: str) -> Loading:
    folder = subject.folder("loading")
    out = folder / "loaded.json"
    empty = folder / "here"
    empty.mkdir()
    # Plugins beside it may be switched off by whoever asks; this one is looked at nevertheless.
    environment = {**os.environ, **subject.environment, "DLKIT_DISABLE": "", "PYTHONWARNINGS": "ignore"}
    try:
        done = subprocess.run(
            python("dlkit.testing.probe", plugin, str(out)), cwd=empty, env=environment, timeout=SECONDS,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Loading(plugin, None, "", f"it has not been loaded within {SECONDS:g} s")
    if not out.is_file():
        how = f"signal {-done.returncode}" if done.returncode < 0 else f"exit code {done.returncode}"
        return Loading(plugin, None, done.stdout, f"the process that loads it ended with {how}")
    return Loading(plugin, cast(Loaded, json.loads(out.read_text(encoding="utf-8"))), done.stdout)
