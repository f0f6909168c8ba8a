"""What this plugin promises: that it keeps dlkit's rules, and it learns, and answers."""

from __future__ import annotations

from pathlib import Path

import dlkit
from dlkit.testing.contracts import PackageContract, TaskContract


class TestPackage(PackageContract):
    """Its files, and what loading them does."""

    plugin = "my-plugin"


class TestTask(TaskContract):
    """Every rule of dlkit's for a task is a test; ``quick = False`` takes those that are slow too."""

    plugin = "my-plugin"
    component = "my-plugin"


def test_it_learns_and_answers(tmp_path: Path) -> None:
    run = dlkit.train("my-plugin", epochs=10, workspace=tmp_path)
    assert run.state == "completed" and run.metrics["val/metres"] < 1.0
    (answer,) = run.predictor()("45,15,9.81")
    assert max(answer["height"]) == max(0, max(answer["height"])) and len(answer["height"]) == 40
