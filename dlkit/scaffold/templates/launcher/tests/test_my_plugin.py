"""What this plugin promises: a job that it starts ends as it should."""

from __future__ import annotations

from pathlib import Path

from dlkit_my_plugin.launcher import command
from dlkit_my_plugin.options import Options


def test_the_command_names_the_run(tmp_path: Path) -> None:
    words = command(tmp_path / "run", 1, Options(niceness=5))
    assert words[:3] == ["nice", "-n", "5"] and words[-1] == str(tmp_path / "run")
    assert "--nproc-per-node=2" in command(tmp_path / "run", 2, Options())
