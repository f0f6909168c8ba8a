"""What this plugin promises: that it keeps dlkit's rules, and a job that it starts ends as it should."""

from __future__ import annotations

from pathlib import Path

from dlkit.testing.contracts import LauncherContract, PackageContract

from dlkit_my_plugin.launcher import command
from dlkit_my_plugin.options import Options


class TestPackage(PackageContract):
    """Its files, and what loading them does."""

    plugin = "my-plugin"


class TestLauncher(LauncherContract):
    """Every rule of dlkit's for a launcher is a test; ``quick = False`` takes those that are slow too."""

    plugin = "my-plugin"
    component = "my-plugin"


def test_the_command_names_the_run(tmp_path: Path) -> None:
    words = command(tmp_path / "run", 1, Options(niceness=5))
    assert words[:3] == ["nice", "-n", "5"] and words[-1] == str(tmp_path / "run")
    assert "--nproc-per-node=2" in command(tmp_path / "run", 2, Options())
