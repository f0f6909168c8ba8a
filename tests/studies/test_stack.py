"""Trials that differ in numbers alone are trained as one, and nobody can tell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from asked import asked, planned, runs_of
from dlkit.errors import UsageError
from dlkit.jobs.claims import hold
from dlkit.studies.driver import Driver
from dlkit.studies.state import state_of

Quick = dict[str, str]


def test_trials_that_wait_together_are_trained_as_one(workspace: Path, quick: Quick) -> None:
    """Each ends as it does alone, to rounding."""
    layer: dict[str, Any] = {"launcher": quick, "model": {"dropout": 0.0}, "engine": {"device": "cpu"}}
    study, alone = (asked(workspace, "lr=0.02,0.03,0.05", seeds=2, layer=layer, stack=how) for how in ("auto", "off"))
    driver = Driver(study)
    with hold(("cpu",), run="somebody", workspace=workspace):  # none begins before all wait
        driver.step()
    driver.serve()
    Driver(alone).serve()
    found, other = state_of(study), state_of(alone)
    assert {t.state for t in found.trials.values()} == {"completed"} and len(found.trials) == 6
    scores = [[t.best for t in state.trials.values()] for state in (found, other)]
    assert scores[0] == pytest.approx(scores[1], rel=1e-5)
    assert any("trained as one" in run.output.read_text() for run in runs_of(study) if run.output.exists())


def test_what_prevents_it_is_said(workspace: Path, plugins: None) -> None:
    layer = {"engine": {"ema": 0.9}}
    with pytest.raises(UsageError, match=r"--stack on: nothing was started: engine\.ema > 0 keeps a second set"):
        planned(workspace, "lr=0.1,0.2", layer=layer, stack="on")
    with pytest.raises(UsageError, match="did you mean 'auto'"):
        planned(workspace, "lr=0.1,0.2", stack="auot")
    assert planned(workspace, "lr=0.1,0.2", layer=layer, stack="auto").trials == 2
