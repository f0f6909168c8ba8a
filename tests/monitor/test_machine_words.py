"""What the figures of the machine look like, in words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlkit.events import Machine
from dlkit.monitor.machine_words import LEAST, in_words


def samples(cpu: float, use: float | None = None, memory: float = 1e9, count: int = 30) -> list[Machine]:
    gpus = [{"index": 0, "name": "H1", "use": use, "memory": memory, "total": 8e9}] if use is not None else []
    return [Machine(step=i, cpu=cpu, memory=1, processes=1, gpus=gpus, time=1000.0 + i) for i in range(count)]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (samples(100, 95), ""),
        (samples(130, 20), "GPU 0 waits: it was busy 20 % of the last minute, while the processes keep 1.3 cores busy"),
        (samples(390, 20), "while all 4 cores are: loading cannot keep up"),
        (samples(10, 5), "and so do the processes: they wait for the disk"),
        (samples(100, 95, memory=7.9e9), "GPU 0 has 99 % of its memory taken"),
        (samples(5), "the job computes 5 % of a core"),
        (samples(100), ""),
        (samples(5, count=LEAST - 1), ""),
        ([], ""),
    ],
)
def test_what_is_conspicuous_is_said(found: list[Machine], said: str) -> None:
    told = in_words(found, 4)
    assert said in told and bool(told) is bool(said)


def test_only_the_last_minute_counts() -> None:
    early = [Machine(step=1, cpu=1, memory=1, processes=1, time=float(i)) for i in range(500)]
    assert in_words([*early, *samples(100)], 4) == ""


GPUS = st.dictionaries(st.sampled_from(["index", "use", "memory", "total"]), st.none() | st.text() | st.floats(0, 1e9))


@given(
    st.lists(
        st.builds(
            Machine,
            step=st.just(1),
            cpu=st.floats(0, 1e4),
            memory=st.just(1),
            processes=st.just(1),
            time=st.floats(0, 200),
            gpus=st.lists(
                st.dictionaries(
                    st.sampled_from(["index", "use", "memory", "total"]), st.none() | st.text() | st.floats(0, 1e9)
                )
            ),
        ),
        max_size=30,
    )
)
def test_whatever_a_log_holds(found: list[Machine]) -> None:
    in_words(sorted(found, key=lambda sample: sample.time), 2)
