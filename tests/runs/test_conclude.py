"""Runs whose end somebody else records."""

from __future__ import annotations

import math
from pathlib import Path

from dlkit.events import MetricsLogged
from dlkit.runs.conclude import end_run
from dlkit.runs.folder import summarise
from recorded import record_run, write_events


def test_a_run_that_went_out_with_nan(tmp_path: Path) -> None:
    run = record_run(tmp_path, state="interrupted")
    best = summarise(run).best
    write_events(run, [MetricsLogged(first=101, count=1, values={"val/mse": [math.nan], "train/loss": [0.5]})], 3)
    end_run(run, "failed", "the worker died")
    summary = summarise(run)
    assert (summary.state, summary.reason, summary.last, summary.best) == ("failed", "the worker died", None, best)
    assert "val/mse" not in summary.metrics
    assert '"val/mse":["nan"]' in run.events.read_text()
