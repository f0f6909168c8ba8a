"""When a run will end, as it is told while it goes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlkit.cli.progress import Bar, Lines
from dlkit.events import Event, MetricsLogged, Resumed, likely_end
from dlkit.monitor.view import RunView
from dlkit.tui.run.head import headlines
from recorded import record_run, write_events


def course(time_left: float | None) -> list[Event]:
    """500 of 9,900 steps, five a second; the evaluation behind them tells neither rate nor time left."""
    losses = {"train/loss": [0.5] * 500}
    return [
        Resumed(from_step=0, total_steps=9900, epoch_steps=165, exact=True),
        MetricsLogged(first=1, count=500, values=losses, rate=5.0, time_left=time_left),
        MetricsLogged(first=500, count=1, values={"val/mse": [0.5]}),
    ]


@pytest.mark.parametrize(("time_left", "left"), [(None, "31:20 left"), (60.0, "1:00 left"), (1e6, "31:20 left")])
def test_the_clock_may_end_a_run_before_its_steps_do(
    time_left: float | None, left: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = record_run(tmp_path)
    Lines(run).catch_up(course(time_left))
    assert left in capsys.readouterr().err


@pytest.mark.parametrize(("time_left", "total"), [(None, 9900), (60.0, 800)])
def test_the_bar_is_full_when_the_run_ends(time_left: float | None, total: int, tmp_path: Path) -> None:
    bar = Bar(record_run(tmp_path))
    bar.catch_up(course(time_left))
    assert (bar._bar.n, bar._bar.total) == (500, total)
    bar.close()


@pytest.mark.parametrize(("time_left", "told"), [(None, ("5 %", "31:20 left")), (60.0, ("62 %", "1:00 left"))])
def test_the_interface_says_the_same(time_left: float | None, told: tuple[str, str], tmp_path: Path) -> None:
    run = record_run(tmp_path)
    run.events.unlink()
    write_events(run, course(time_left))
    view = RunView(run)
    view.poll()
    assert (view.rate, view.time_left) == (5.0, time_left)
    view.state, view.pace = "running", 5.0
    line = headlines(view, 120)[1].plain
    assert "step 500/9900" in line and all(words in line for words in told)
    write_events(run, [Resumed(from_step=500, total_steps=9900, epoch_steps=165, exact=True)], first=3)
    view.poll()
    assert view.time_left is None, "a resume may have another limit, or none"


@given(st.integers(0, 2**40), st.integers(0, 2**40), st.floats(), st.none() | st.floats())
def test_no_run_ends_after_its_plan_or_in_the_past(
    planned: int, step: int, rate: float, time_left: float | None
) -> None:
    """Whatever a damaged log says of rate and time left; nor does it end now because it stands still."""
    assert likely_end(planned, step, 0.0, time_left) == planned
    assert min(planned, step) <= likely_end(planned, step, rate, time_left) <= planned
