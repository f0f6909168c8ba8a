"""What a resume makes void, of single values, of arrays of them, and of events."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlkit.events import (
    Checkpointed,
    Commanded,
    Event,
    Finished,
    Machine,
    MetricsLogged,
    Notice,
    Resumed,
    Retried,
    Sampled,
    Spent,
    Started,
)
from dlkit.runs.rollback import Rollback

small = st.integers(-1, 9)


@given(small, small, st.lists(st.tuples(small, small), max_size=20))
def test_arrays_are_decided_as_single_values_are(step: int, seq: int, points: list[tuple[int, int]]) -> None:
    rollback = Rollback(step, seq)
    steps, seqs = np.array([p[0] for p in points], np.int64), np.array([p[1] for p in points], np.int64)
    assert rollback.keeps(steps, seqs).tolist() == [rollback.keeps(*point) for point in points]


AT_5 = [
    MetricsLogged(first=4, count=2, values={"a": [1.0, 2.0]}, seq=7),
    Sampled(step=5, samples=(), seq=8),
    Commanded(step=5, action="sample", seq=9),
    Checkpointed(step=5, folder="c", best=False, seconds=0.1, seq=10),
    Notice(step=5, text="so", seq=11),
]


@pytest.mark.parametrize("event", AT_5)
def test_an_event_of_the_checkpoints_own_step(event: Event) -> None:
    """It holds if it was recorded before the checkpoint was taken; that of the checkpoint itself comes after."""
    assert Rollback(5, 20).apply([event]) == Rollback(5).apply([event]) == [event]
    taken_before = Rollback(5, 7).apply([event])
    assert taken_before == ([event] if isinstance(event, (Checkpointed, Notice)) else [])
    assert event not in Rollback(4).apply([event])


def test_what_stays_true() -> None:
    kept: list[Event] = [
        Started(total_steps=9, epoch_steps=3, summary={}),
        Resumed(from_step=7, total_steps=9, epoch_steps=3, exact=True),
        Retried(step=8, reason="out of memory", attempt=1, of=2),
        Machine(step=8, cpu=1.0, memory=1, processes=1),
        Spent(step=8, seconds={"steps": 1.0}, cpu_seconds=1.0),
    ]
    end = Finished(run="r", status="stopped", metrics={}, seconds=1.0, train_seconds=1.0, steps=8)
    assert Rollback(0, 0).apply([*kept, end]) == kept
    resumed = Resumed(from_step=3, total_steps=9, epoch_steps=3, exact=True, from_seq=4)
    assert Rollback.to(resumed) == Rollback(3, 4)
