"""Runs that the Python interface leaves to the queue, or to a process of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import dlkit
from dlkit.errors import RunError, UsageError
from queues import Quick, troubled
from workers import ENDLESS, ENGINE, until


def submitted(workspace: Path, layer: dict[str, Any], *, queue: bool = True, **engine: Any) -> dlkit.Run:
    config = {**layer, "engine": {**ENGINE, **engine}}
    return dlkit.submit("toy", config=config, workspace=workspace, queue=queue, name="mine", lr=0.02)


@pytest.mark.parametrize("queue", [True, False])
def test_it_is_trained_elsewhere_and_waited_for(workspace: Path, quick: Quick, queue: bool) -> None:
    run = submitted(workspace, {"launcher": quick}, queue=queue)
    assert run.state in ("queued", "running")
    assert run.wait().state == "completed"
    assert (run.name, run.config["trainer"]["lr"]) == ("mine", 0.02)
    assert run.history("train/loss")[0][-1] == run.summary.step


def test_it_is_stopped(workspace: Path, quick: Quick) -> None:
    run = submitted(workspace, troubled(quick, wait=0.01), **ENDLESS)
    until(lambda: run.summary.step > 0)
    assert run.stop().state == "stopped"
    assert run.checkpoints
    with pytest.raises(RunError, match="is stopped, not running"):
        run.stop()


def test_one_that_waits_is_taken_out_of_the_queue(workspace: Path, quick: Quick) -> None:
    first = submitted(workspace, troubled(quick, wait=0.01), **ENDLESS)
    until(lambda: first.state == "running")
    second = submitted(workspace, {"launcher": quick})
    assert second.stop().state == "stopped"
    assert (second.summary.step, first.stop().state) == (0, "stopped")


def test_what_goes_with_the_queue_alone(tmp_path: Path, plugins: None) -> None:
    with pytest.raises(UsageError, match="priority and after go with queue=True"):
        dlkit.submit("toy", queue=False, priority=1, workspace=tmp_path)
    with pytest.raises(UsageError, match=r"there are no runs|no run 'first'"):
        dlkit.submit("toy", after=["first"], workspace=tmp_path)
    assert not list(tmp_path.glob("runs/*"))
