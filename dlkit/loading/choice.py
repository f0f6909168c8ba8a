"""Which of the installed plugins are used: by the environment, in safe mode, by the workspace's ``dlkit.toml``.

    [plugins]
    enable = ["classification", "regression"]   # only these; without it: all that are installed
    disable = ["gan"]                           # not these

A workspace may come from anybody: its file names plugins that are installed, and can neither name code nor switch on
what the environment switches off.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from dlkit import __version__
from dlkit.errors import UsageError, nearest

FILE = "dlkit.toml"
SECTION = "plugins"
KEYS = ("enable", "disable")
LARGEST = 1 << 16
"""Bytes of such a file: it has a line for each plugin at most."""
MOST = 1000
"""Names in one of its lists."""
SAFE_MODE = "DLKIT_SAFE_MODE"
OWN = (
    "dlkit-autoencoder", "dlkit-classification", "dlkit-detection", "dlkit-embeddings", "dlkit-gan", "dlkit-insight",
    "dlkit-localization", "dlkit-points", "dlkit-regression", "dlkit-scratch", "dlkit-style", "dlkit-tensorboard",
    "dlkit-textgen", "dlkit-transfer", "dlkit-translation",
)  # fmt: skip
"""The distributions that are released with dlkit, each in the same version: what safe mode leaves."""


@dataclass(frozen=True)
class Choice:
    """Who is switched off, and by whom. ``only`` and ``without`` are the lists of ``file``; None: there is no such
    list."""

    disabled: frozenset[str] = frozenset()
    safe: bool = False
    file: Path | None = None
    only: tuple[str, ...] | None = None
    without: tuple[str, ...] = ()

    def why_not(self, name: str, distribution: str, version: str) -> str:
        """Why a plugin is switched off; empty: it is not."""
        if name in self.disabled:
            return "named in DLKIT_DISABLE"
        if self.safe and not (distribution in OWN and version == __version__):
            return f"safe mode: not one of the plugins of dlkit {__version__} itself"
        if name in self.without:
            return f"{self.file} disables it"
        if self.only is not None and name not in self.only:
            return f"{self.file} enables others only"
        return ""

    def unknown(self, names: Iterable[str]) -> list[str]:
        """Of the file's names those that no plugin has, a line each: another machine may have it."""
        there = set(names)
        lost = dict.fromkeys(name for name in (*(self.only or ()), *self.without) if name not in there)
        return [f"{self.file}: no plugin {name!r} is installed: {nearest(name, there)}" for name in lost]


def chosen(workspace: Path | None, environment: Mapping[str, str] = os.environ) -> Choice:
    """What the environment and the file of a workspace say; UsageError names what is wrong in the file.

    ``None``: the workspace that DLKIT_WORKSPACE names, else ``./workspace``.
    """
    place = workspace or Path(environment.get("DLKIT_WORKSPACE") or "workspace").expanduser()
    only, without, file = _lists(place / FILE)
    return Choice(
        frozenset(name.strip() for name in environment.get("DLKIT_DISABLE", "").split(",") if name.strip()),
        environment.get(SAFE_MODE, "") not in ("", "0"),
        file,
        only,
        without,
    )


def _lists(file: Path) -> tuple[tuple[str, ...] | None, tuple[str, ...], Path | None]:
    if not os.path.lexists(file):
        return None, (), None
    from dlkit.bounded import BadFile, read_toml

    try:
        table = read_toml(file, LARGEST)
    except BadFile as error:
        raise UsageError(str(error)) from error
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror or error}") from error
    _check_keys(file, "", table, (SECTION,))
    section = table.get(SECTION, {})
    if not isinstance(section, dict):
        raise UsageError(f"{file}: {SECTION} is not a table: write [{SECTION}] and its keys below")
    _check_keys(file, f"{SECTION}.", section, KEYS)
    without = _names(file, "disable", section.get("disable", []))
    return (_names(file, "enable", section["enable"]) if "enable" in section else None), without, file


def _check_keys(file: Path, prefix: str, table: Mapping[str, object], allowed: tuple[str, ...]) -> None:
    for key in table:
        if key not in allowed:
            raise UsageError(f"{file}: no key {prefix}{key}: {nearest(key, allowed)}")


def _names(file: Path, key: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value) or len(value) > MOST:
        raise UsageError(f'{file}: {SECTION}.{key} is not a list of plugins\' names, such as ["classification"]')
    return tuple(value)
