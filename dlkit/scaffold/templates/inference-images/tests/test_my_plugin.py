"""What this plugin promises: that it keeps dlkit's rules, and its inference trains, and goes on."""

from __future__ import annotations

from pathlib import Path

import dlkit
from dlkit.testing.contracts import InferenceContract, PackageContract


class TestPackage(PackageContract):
    """Its files, and what loading them does."""

    plugin = "my-plugin"


class TestInference(InferenceContract):
    """Every rule of dlkit's for a predictor is a test; ``quick = False`` takes those that are slow too."""

    plugin = "my-plugin"
    component = "my-plugin"
    task = "classification"


def test_it_trains_and_goes_on(tmp_path: Path) -> None:
    run = dlkit.train("classification", inference="my-plugin", epochs=1, limit_batches=4, workspace=tmp_path)
    assert run.state == "completed"
    assert run.resume(epochs=2).state == "completed"
