"""What this plugin promises: its model trains, and goes on."""

from __future__ import annotations

from pathlib import Path

import dlkit


def test_it_trains_and_goes_on(tmp_path: Path) -> None:
    run = dlkit.train("classification", model="mixer", epochs=1, limit_batches=4, workspace=tmp_path)
    assert run.state == "completed"
    assert run.resume(epochs=2).state == "completed"
