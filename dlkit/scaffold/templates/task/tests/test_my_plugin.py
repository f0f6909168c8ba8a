"""What this plugin promises: it learns, and answers."""

from __future__ import annotations

from pathlib import Path

import dlkit


def test_it_learns_and_answers(tmp_path: Path) -> None:
    run = dlkit.train("my-plugin", epochs=10, workspace=tmp_path)
    assert run.state == "completed" and run.metrics["val/metres"] < 0.5
    (answer,) = run.predictor()("45,15,9.81")
    assert max(answer["height"]) == max(0, max(answer["height"])) and len(answer["height"]) == 40
