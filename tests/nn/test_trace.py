"""The way that weights have come: whole as long as it is short, thinned evenly when it is long, resumed exactly."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dlkit.nn.trace import LEAST, MOST, NUMBERS, Trace


def walked(steps: int) -> Trace:
    trace = Trace(1)
    for step in range(steps):
        trace.record([torch.tensor([float(step)])])
    return trace


def test_a_short_way_is_kept_whole() -> None:
    assert walked(5).path()[:, 0].tolist() == [0, 1, 2, 3, 4]
    assert walked(0).path().shape == (0, 1)


@pytest.mark.parametrize("steps", [MOST, MOST + 1, 2 * MOST + 1, 5 * MOST])
def test_a_long_way_is_thinned_evenly(steps: int) -> None:
    found = walked(steps).path()[:, 0]
    assert MOST // 2 < len(found) <= MOST
    assert found[0] == 0 and len(set(found.diff().tolist())) == 1
    assert steps - found[-1] <= found[1]


@given(cut=st.integers(0, 3 * MOST))
def test_what_is_loaded_goes_on_as_if_nothing_had_happened(cut: int) -> None:
    steps = cut + 40
    whole, first, second = walked(steps), walked(cut), Trace(1)
    second.load_state_dict(first.state_dict())
    for step in range(cut, steps):
        second.record([torch.tensor([float(step)])])
    assert torch.equal(whole.path(), second.path())
    assert torch.equal(whole.count, second.count)


def test_a_model_that_is_too_large_keeps_no_way() -> None:
    size = NUMBERS // LEAST + 1
    trace = Trace(size)
    trace.record([torch.zeros(size)])
    assert trace.path().shape == (0, 0)
    assert len(Trace(size - 1).way) == LEAST
