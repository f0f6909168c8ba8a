"""A package that is not installed, as if it were: for processes that are started, by a folder in PYTHONPATH."""

from __future__ import annotations

import os
from pathlib import Path

from dlkit.catalog import GROUP
from dlkit.testing.package import Package


def as_installed(package: Package, folder: Path) -> dict[str, str]:
    """The environment in which it is installed: nothing, if it is; else with its own folders, and with the metadata
    that an installation writes in ``folder``."""
    if package.installed:
        return {}
    name = package.distribution.replace("-", "_")
    info = folder / f"{name}-{package.version or '0'}.dist-info"
    info.mkdir(parents=True)
    lines = ["Metadata-Version: 2.1", f"Name: {package.distribution}", f"Version: {package.version or '0'}", ""]
    (info / "METADATA").write_text("\n".join(lines))
    points = "".join(f"{plugin} = {module}\n" for plugin, module in package.entry_points.items())
    (info / "entry_points.txt").write_text(f"[{GROUP}]\n{points}")
    path = [str(folder), *map(str, package.path), *filter(None, [os.environ.get("PYTHONPATH", "")])]
    return {"PYTHONPATH": os.pathsep.join(path)}
