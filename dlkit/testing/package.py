"""A plugin's package as it lies on the disk: read, never run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Package:
    """What is known of a distribution without running its code.

    distribution, version   as installed, or as pyproject.toml says
    entry_points            of the group ``dlkit``: plugin's name → module
    metadata                core metadata (``"Summary"``, ``"License-Expression"``, ``"Requires-Python"``…); keys that
                            may come several times ("Requires-Dist") as a list
    project                 the folder with pyproject.toml; None: installed from a wheel
    modules                 every Python file of the plugin, as ``{"dlkit_toy/plugin.py": Path(…)}``
    """

    distribution: str
    version: str
    entry_points: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, str | list[str]] = field(default_factory=dict)
    project: Path | None = None
    modules: Mapping[str, Path] = field(default_factory=dict)
