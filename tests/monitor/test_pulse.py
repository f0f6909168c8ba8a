"""How a run goes, in a line."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlkit.events import MetricsLogged, Sampled, SampleRef
from dlkit.monitor.live_run import LiveRun
from dlkit.monitor.pulse import PACE_SECONDS, TREND, Pace, Pulse, seconds_left, share
from dlkit.monitor.pulses import Pulses
from dlkit.runs.folder import Summary, summarise
from recorded import record_run, write_events


def test_of_a_run_that_has_ended_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = record_run(tmp_path, 1)
    summary, pulses = summarise(run), Pulses(tmp_path)
    (pulse,) = pulses.look([summary]).values()
    assert len(pulse.trend) == 5 and pulse.trend[0] > pulse.trend[-1] and pulse.sample == ""
    monkeypatch.setattr(LiveRun, "poll", None)  # a second reading would fail
    assert pulses.look([summary]) == {run.id: pulse}
    assert pulses.look([Summary(id="gone")]) == {"gone": Pulse()}


def test_of_a_run_that_lives_as_it_goes_on(tmp_path: Path) -> None:
    run = record_run(tmp_path, state="interrupted")
    summary = summarise(run)
    live = LiveRun(run, summary)
    summary = live.poll(summary)
    before = live.pulse
    assert live.poll(summary) is summary and live.pulse is before, "nothing has come"
    ref = SampleRef(kind="text", name="a", title="A", file="samples/a.json")
    many = MetricsLogged(first=101, count=300, values={"val/mse": [float(i) for i in range(300)]}, time_left=8.0)
    write_events(run, [many, Sampled(step=400, samples=[ref, ref])], 3)
    summary = live.poll(summary)
    assert live.pulse.sample == "samples/a.json" and live.pulse.time_left == 8.0
    assert len(live.pulse.trend) == TREND and live.pulse.trend[-1] == pytest.approx(299, abs=6)


def test_the_newest_sample_of_a_long_run_is_found_by_its_name(tmp_path: Path) -> None:
    run = record_run(tmp_path, state="interrupted")
    for name in ("step-00000020-a.json", "step-00000100-a.json", "step-00000100-a.png"):
        (run.samples / name).write_text("")
    assert LiveRun(run, summarise(run)).pulse.sample == "samples/step-00000100-a.json"


@given(st.lists(st.tuples(st.integers(0, 500), st.floats(0.01, 20)), min_size=2, max_size=30))
def test_the_pace_is_that_of_the_last_half_minute(taken: list[tuple[int, float]]) -> None:
    """Of steps that follow each other; what went back begins anew."""
    pace, step, now, passed = Pace(), 0, 0.0, []
    for more, seconds in taken:
        step, now = step + more, now + seconds
        pace.reached(step, now)
        passed.append((now, step))
    window = [one for one in passed if one[0] >= now - PACE_SECONDS]
    around = passed[max(0, min(len(passed) - len(window) - 1, len(passed) - 2)) :]
    rates = [(b - a) / (t - s) for (s, a), (t, b) in pairwise(around)]
    assert min(rates) - 1e-6 <= pace.rate <= max(rates) + 1e-6
    pace.reached(step - 1, now + 1)
    assert pace.rate == 0.0


def test_how_much_is_done_and_left() -> None:
    run = Summary(id="x", step=50, total_steps=100, seconds=100.0)
    assert share(run, Pulse()) == 0.5 and seconds_left(run, Pulse()) == 100.0
    assert seconds_left(run, Pulse(pace=2.0)) == 25.0
    assert share(run, Pulse(pace=2.0, time_left=5.0)) == pytest.approx(50 / 60), "its time is up sooner"
    assert seconds_left(run, Pulse(pace=2.0, time_left=5.0)) == 5.0
    for nothing in (Summary(id="x"), Summary(id="x", step=100, total_steps=100, seconds=1.0)):
        assert seconds_left(nothing, Pulse()) is None
    assert share(Summary(id="x", step=5), Pulse()) is None
