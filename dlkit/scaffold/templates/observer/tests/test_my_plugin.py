"""What this plugin promises: that it keeps dlkit's rules, and a line for every run that has ended."""

from __future__ import annotations

import csv
from pathlib import Path

from dlkit.testing.contracts import PackageContract

from dlkit_my_plugin.diary import HEADERS
from dlkit_my_plugin.plugin import dlkit_event


class TestPackage(PackageContract):
    """Its files, and what loading them does."""

    plugin = "my-plugin"


def test_a_run_that_ends_is_a_line(tmp_path: Path) -> None:
    run = {"path": str(tmp_path / "runs" / "one"), "task": "classification"}
    for status in ("stopped", "completed"):
        dlkit_event(run, {"event": "started", "time": 0.0})
        dlkit_event(run, {"event": "finished", "time": 0.0, "status": status, "steps": 7, "seconds": 1.5})
    lines = list(csv.reader((tmp_path / "my-plugin.csv").open(encoding="utf-8")))
    assert lines == [
        list(HEADERS),
        ["1970-01-01T00:00:00+00:00", "one", "classification", "stopped", "7", "1.5"],
        ["1970-01-01T00:00:00+00:00", "one", "classification", "completed", "7", "1.5"],
    ]
