"""What the first screen tells of the runs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dlkit.monitor.home import LEAST, OVER, RUNNING, WAITING, home, how_they_ended
from dlkit.runs.folder import Summary

RUNS = st.lists(
    st.builds(
        Summary,
        id=st.uuids().map(str),
        state=st.sampled_from([*RUNNING, *WAITING, *OVER, "unknown (on far)"]),
        created=st.floats(1, 50),
        updated=st.sampled_from([0.0]) | st.floats(1, 100),
    ),
    max_size=30,
).map(lambda runs: sorted(runs, key=lambda run: run.created, reverse=True))


@given(RUNS, st.floats(0, 100), st.integers(-20, 40))
def test_every_run_is_in_one_place_and_what_is_new_is_never_left_unsaid(
    runs: list[Summary], since: float, room: int
) -> None:
    seen = {run.id for run in runs[::3]}
    found = home(runs, since, seen, room)
    shown = [*found.running, *found.waiting, *found.ended, *found.lately]
    assert len({run.id for run in shown}) == len(shown)
    assert {run.id for run in (*found.running, *found.waiting)} == {r.id for r in runs if r.state not in OVER}
    new = [run for run in runs if run.state in OVER and (run.updated or run.created) > since and run.id not in seen]
    told = {run.id for run in new}
    assert len(found.ended) + found.untold == len(new) and {run.id for run in found.ended} <= told
    assert not {run.id for run in found.lately} & told
    assert len(found.ended) + len(found.lately) <= max(LEAST, room)
    for listed in (found.ended, found.lately):
        ends = [run.updated or run.created for run in listed]
        assert ends == sorted(ends, reverse=True)


def test_how_they_ended_begins_with_what_went_wrong() -> None:
    states = ("completed", "failed", "completed", "stopped", "interrupted")
    assert how_they_ended([Summary(id=s, state=s) for s in states]) == (
        "1 failed, 1 interrupted, 1 stopped, 2 completed"
    )
    assert how_they_ended([]) == ""
