"""What curves show of the events."""

from __future__ import annotations

from pathlib import Path

from dlkit.events import Checkpointed, Commanded, Notice, Resumed
from dlkit.monitor.moments import Moment, moments
from dlkit.monitor.view import RunView
from recorded import record_run, write_events

EVENTS = [
    Checkpointed(step=10, folder="a", best=True, seconds=0.1),
    Commanded(step=20, action="set", key="trainer.lr", value=0.00123456),
    Commanded(step=21, action="set", key="trainer.lr", value=-1, refused="no"),
    Commanded(step=22, action="sample"),
    Checkpointed(step=30, folder="b", best=True, seconds=0.1),
    Checkpointed(step=40, folder="c", best=False, seconds=0.1),
    Notice(step=41, text="something"),
    Resumed(from_step=35, total_steps=50, epoch_steps=10, exact=False),
]


def test_settings_resumes_and_the_best() -> None:
    assert moments(EVENTS) == [
        Moment(20, "set", "lr 0.001235"), Moment(30, "best", "best"), Moment(35, "resumed", "resumed, not exactly"),
    ]  # fmt: skip
    assert moments([]) == []


def test_a_run_that_started_from_another_says_so(tmp_path: Path) -> None:
    run = record_run(tmp_path, state="interrupted")
    run.config.write_text('task = "toy"\n[engine]\ninit_from = "20260101-toy-linear-aaaa@12ab"\n')
    write_events(run, EVENTS[:2], 9)
    view = RunView(run)
    view.poll()
    assert [moment.kind for moment in view.moments] == ["forked", "best", "set"]
    assert view.moments[0] == Moment(0, "forked", "from 20260101-toy-linear-aaaa@12ab")
