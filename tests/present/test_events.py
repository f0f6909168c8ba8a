"""What happens in a run, in words."""

from __future__ import annotations

import pytest

from dlkit.events import Commanded, Machine, Retried
from dlkit.present.events import (
    describe_answer,
    describe_command,
    describe_restart,
    describe_start,
    loss_names,
    machine_use,
    metrics_line,
)


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (Commanded(step=9, action="stop"), "stopping after step 9"),
        (Commanded(step=9, action="set", key="trainer.lr", value=0.1), "trainer.lr = 0.1 from step 10 on"),
        (Commanded(step=9, action="set", key="engine.keep", value=None), "engine.keep = none from step 10 on"),
        (Commanded(step=9, action="set", key="a.b", refused="unknown"), "set a.b was refused at step 9: unknown"),
        (Commanded(step=9, action="sample"), "sample asked for at step 9"),
    ],
)  # fmt: skip
def test_answers(event: Commanded, text: str) -> None:
    assert describe_answer(event) == text


def test_whose_command_it_was_is_said_where_it_is_known() -> None:
    assert describe_command(Commanded(step=1, action="stop", by="ann")) == "ann: stopping after step 1"
    assert describe_command(Commanded(step=1, action="stop")) == "stopping after step 1"


def test_a_restart_says_what_is_different() -> None:
    event = Retried(step=1, attempt=1, of=3, reason="out of memory", settings={"engine.batch_size": 16})
    assert describe_restart(event) == "out of memory; started again (1 of 3) with engine.batch_size = 16"


def test_figures_that_the_driver_does_not_tell_are_left_out() -> None:
    gpus = [{"index": 0, "name": "A100", "use": 95.2, "memory": 2_000_000_000, "total": 80_000_000_000}, {"index": 1}]
    event = Machine(step=1, cpu=180.0, memory=1_200_000_000, processes=3, gpus=gpus)  # type: ignore[arg-type]
    assert machine_use(event) == ("cpu 180 %, memory 1.2 GB, 3 processes, gpu 0 (A100) 95 %, 2.0 GB of 80.0 GB, gpu 1")
    assert machine_use(event, brief=True) == "cpu 180 %, 1.2 GB, gpu 0 95 %, 2.0 GB, gpu 1"


def test_a_line_of_metrics_has_the_losses_first_and_no_details() -> None:
    values = {"val/accuracy/cat": 1.0, "val/f1": 0.5, "val/accuracy": 0.75, "train/g_loss": 2.0, "train/lr": 0.1}
    assert loss_names(values) == ["train/g_loss"]
    assert (
        metrics_line("step 1", values, "val/accuracy", 200) == "step 1  train/g_loss 2  val/accuracy 0.75  val/f1 0.5"
    )
    assert metrics_line("step 1", values, "val/accuracy", 30) == "step 1  train/g_loss 2"


def test_a_summary_of_another_version_is_refused() -> None:
    with pytest.raises((KeyError, TypeError)):
        describe_start({"model": "an older form"})
