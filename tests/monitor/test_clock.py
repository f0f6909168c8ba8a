"""A run's own time: what it took to reach a step, whatever lay between its attempts."""

from __future__ import annotations

import json

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from dlkit.events import MetricsLogged, Resumed, Started, to_json
from dlkit.monitor.clock import seconds_at
from dlkit.monitor.log_state import LogState


def line(step: int, moment: float, seq: int, count: int = 1) -> bytes:
    event = MetricsLogged(first=step, count=count, values={"train/loss": [1.0] * count}, seq=seq, time=moment)
    return to_json(event).encode()


def begun(moment: float = 1000.0) -> LogState:
    state = LogState()
    state.feed([to_json(Started(total_steps=100, epoch_steps=10, summary={}, seq=0, time=moment)).encode()])
    return state


def at(state: LogState, *steps: int) -> list[float]:
    return [round(float(seconds), 6) for seconds in seconds_at(state.clock.course, np.array(steps))]


def test_steps_have_the_time_of_the_line_that_they_end() -> None:
    state = begun()
    state.feed([line(1, 1010.0, 1, 10), line(10, 1011.0, 2), line(11, 1030.0, 3, 10)])
    assert at(state, 0, 5, 10, 15, 20, 99) == [0.0, 5.0, 10.0, 20.0, 30.0, 30.0], "an evaluation's second is the next's"


def test_what_lies_between_attempts_is_left_out() -> None:
    state = begun()
    state.feed([line(1, 1010.0, 1, 10), line(11, 1020.0, 2, 10)])
    resumed = Resumed(from_step=10, total_steps=100, epoch_steps=10, exact=True, from_seq=2, seq=3, time=90_000.0)
    state.feed([to_json(resumed).encode(), line(11, 90_004.0, 4, 10)])
    assert at(state, 10, 20) == [10.0, 14.0], "the time of steps that were lost too"


def test_a_log_without_a_beginning_and_lines_without_a_time() -> None:
    state = LogState()
    record = json.loads(line(5, 0.0, 1))
    del record["time"]
    state.feed([json.dumps(record).encode(), line(10, 50.0, 2), line(20, 60.0, 3)])
    assert at(state, 10, 20) == [0.0, 10.0]
    assert seconds_at(LogState().clock.course, np.array([3])).tolist() == [0.0]


@example([(1, 0.0), (1, 1.0)], 1)
@given(st.lists(st.tuples(st.integers(0, 50), st.floats(0, 1e6)), max_size=30), st.integers(1, 5))
def test_time_never_goes_back(told: list[tuple[int, float]], portion: int) -> None:
    """Whatever clocks and logs say, and in whatever portions they are read."""
    lines = [line(step, moment, seq) for seq, (step, moment) in enumerate(told, 1)]
    whole, parts = begun(5.0), begun(5.0)
    whole.feed(lines)
    for first in range(0, len(lines), portion):
        parts.feed(lines[first : first + portion])
    steps, seconds = whole.clock.course
    assert (np.diff(steps) > 0).all() and (np.diff(seconds) >= 0).all() and (seconds >= 0).all()
    assert parts.clock.course.values.tolist() == seconds.tolist()
