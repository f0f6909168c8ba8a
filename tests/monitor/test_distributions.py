"""Distributions over a run's training, from its samples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from distributions import sampled
from dlkit.monitor.distributions import Distributions
from dlkit.present.distribution import DECADES, WIDTH
from recorded import record_run


def test_all_steps_of_a_layer_on_one_axis(tmp_path: Path) -> None:
    run = record_run(tmp_path)
    found, events = Distributions(run), [sampled(run, 10), sampled(run, 20, 8.0, -5.0)]
    assert found.read(events) and not found.read(events)
    active, moved = found.courses["layers/activations/fc Linear"], found.courses["layers/gradients/fc Linear"]
    assert active.steps.tolist() == [10, 20] and (active.low, active.high, active.decades) == (-8.0, 8.0, False)
    assert active.medians == pytest.approx([1.0, 1.0], abs=2 * 16 / WIDTH)
    assert (moved.low, moved.high, moved.decades) == (*DECADES, True)
    assert np.log10(moved.medians) == pytest.approx([-3.0, -5.0], abs=10 / WIDTH)
    assert found.read([*events, sampled(run, 30)]) and len(found.courses["layers/gradients/fc Linear"].steps) == 3
    assert found.read(events[:1]), "a resume has made them void"
    assert found.courses["layers/activations/fc Linear"].steps.tolist() == [10]


def test_samples_that_cannot_be_read_are_left_out(tmp_path: Path) -> None:
    run = record_run(tmp_path)
    good, torn, gone = (sampled(run, step) for step in (10, 20, 30))
    (run.path / torn.samples[0].file).write_text("{")
    (run.path / gone.samples[0].file).unlink()
    found = Distributions(run)
    found.read([good, torn, gone])
    assert found.courses["layers/activations/fc Linear"].steps.tolist() == [10]
    assert found.courses["layers/gradients/fc Linear"].steps.tolist() == [10, 20, 30]
