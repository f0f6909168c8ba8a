"""What this plugin promises: it learns, and answers files of signals."""

from __future__ import annotations

from pathlib import Path

import dlkit
import numpy as np
import pytest


def test_it_learns_and_answers(tmp_path: Path) -> None:
    run = dlkit.train("tones", workspace=tmp_path)
    assert run.state == "completed" and run.metrics["val/f1"] > 0.9
    time = np.arange(128) / 128
    (tmp_path / "two.csv").write_text(",".join(map(str, np.sin(2 * np.pi * 7 * time) + np.sin(2 * np.pi * 22 * time))))
    (answer,) = run.predictor()(str(tmp_path / "two.csv"))
    assert answer["tones"] == ["7 Hz", "22 Hz"]
    with pytest.raises(dlkit.errors.DataError, match="3 numbers, where 128"):
        run.predictor().accept([1.0, 2.0, 3.0])
