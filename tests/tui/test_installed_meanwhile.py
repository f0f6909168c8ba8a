"""A plugin that is installed while the interface is open is in its list, and can be launched."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dlkit.cli.main import main
from installed import install_metadata
from screens import opened, shown, until


async def test_a_new_plugin_appears_without_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(site)
    async with opened(tmp_path / "workspace", (120, 40)) as (app, pilot):
        assert app.catalog is not None and "ripples" not in {task.name for task in app.catalog.specs("task")}
        assert main(["new-plugin", "ripples", "--into", str(tmp_path)]) == 0
        (site / "dlkit_ripples").symlink_to(tmp_path / "dlkit-ripples" / "dlkit_ripples")
        install_metadata(site, "dlkit-ripples", "ripples", "dlkit_ripples.plugin")
        os.utime(site, (1.0, 1.0))
        await until(pilot, lambda: "Ripples" in shown(app) or "ripples" in shown(app))
        await until(pilot, lambda: "ripples" in {task.name for task in app.catalog.specs("task")})
