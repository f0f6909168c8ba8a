"""Time over all attempts of a run."""

from __future__ import annotations

from dlkit.events import Resumed, Spent, Started
from dlkit.runs.spending import Spending

BEGINS = Started(total_steps=9, epoch_steps=3, summary={})
GOES_ON = Resumed(from_step=3, total_steps=9, epoch_steps=3, exact=True)


def spent(step: int, seconds: float, **machine: float) -> Spent:
    return Spent(step=step, seconds={"steps": seconds}, cpu_seconds=2 * seconds, voluntary=step, machine=machine)


def test_the_last_of_each_attempt_counts() -> None:
    first, second = spent(4, 2.0, busy=3.0, load=1.0), spent(9, 5.0, busy=4.0, load=7.0)
    found = Spending([BEGINS, spent(2, 1.0, busy=2.0), first, GOES_ON, spent(5, 1.0), second])
    assert found.attempts == [first, second]
    in_all = found.in_all()
    assert in_all is not None and in_all is found.in_all()
    assert (in_all.seconds, in_all.cpu_seconds, in_all.voluntary) == ({"steps": 7.0}, 14.0, 13)
    assert in_all.machine == {"busy": 7.0, "load": 7.0}


def test_an_attempt_that_was_killed_at_once_has_none() -> None:
    assert Spending([BEGINS, spent(4, 2.0), GOES_ON, GOES_ON]).attempts == [spent(4, 2.0)]
    assert Spending([BEGINS, GOES_ON]).in_all() is None
