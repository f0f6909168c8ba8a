"""Long texts as windows: what training sees, what evaluation counts."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dlkit.data.plans import in_order
from dlkit.data.text.buckets import POOL, Bucketed
from dlkit.data.text.windows import IGNORED, Phased, Streams, Windows
from dlkit.errors import DataError, UsageError


@given(st.integers(2, 60), st.integers(1, 20), st.integers(1, 7))
def test_evaluation_counts_every_target_once(tokens: int, length: int, batch_size: int) -> None:
    if tokens < length + 1:
        with pytest.raises(DataError, match=f"{tokens} tokens"):
            Windows(torch.arange(tokens), length)
        return
    split = Windows(torch.arange(tokens), length, whole=True)
    counted: list[int] = []
    for batch in split.batches(in_order(len(split), batch_size), seed=0, epoch=None):
        assert batch["token"].shape == batch["target"].shape == (len(batch["fresh"]), length)
        there = batch["target"] != IGNORED
        assert (batch["target"][there] == batch["token"][there] + 1).all()
        counted += batch["target"][there].tolist()
    assert sorted(counted) == list(range(1, tokens))


@given(st.integers(12, 300), st.integers(1, 11), st.integers(1, 9), st.integers(0, 3))
def test_an_epoch_goes_over_the_text_without_overlap(tokens: int, length: int, batch_size: int, epoch: int) -> None:
    split = Windows(torch.arange(tokens), length)
    plan = split.planner.plan(len(split), 0, epoch, batch_size)
    assert len(plan) == split.planner.length(len(split), 0, epoch, batch_size)
    seen = torch.cat([b["token"].flatten() for b in split.batches(plan, seed=0, epoch=epoch)]).tolist()
    assert len(set(seen)) == len(seen) and max(seen) < tokens
    if batch_size == 1:
        assert len(seen) >= tokens - 2 * length


def test_epochs_begin_at_other_places() -> None:
    phases = {int(Phased(50).plan(1000, 0, epoch, 4).order.min()) % 50 for epoch in range(8)}
    assert len(phases) > 4


@given(st.integers(1, 400), st.integers(1, 20), st.integers(1, 12), st.integers(0, 2))
def test_a_row_goes_on_where_the_row_before_it_ended(size: int, length: int, batch_size: int, epoch: int) -> None:
    planner = Streams(length)
    if size < batch_size:
        with pytest.raises(UsageError, match="batch-size"):
            planner.plan(size, 0, epoch, batch_size)
        return
    plan = planner.plan(size, 0, epoch, batch_size)
    assert plan.order.min() >= 0 and plan.order.max() < size
    rows = plan.order.reshape(-1, batch_size)
    assert (np.diff(rows, axis=0) == length).all()
    assert batch_size == 1 or (np.diff(rows, axis=1) == size // batch_size).all()


def test_only_the_first_batch_of_an_epoch_is_fresh() -> None:
    split = Windows(torch.arange(1000), 10, planner=Streams(10))
    plan = split.planner.plan(len(split), 0, 0, 4)
    fresh = [bool(b["fresh"].all()) for b in split.batches(plan, seed=0, epoch=0)]
    assert fresh[0] and not any(fresh[1:])
    assert [bool(b["fresh"].any()) for b in split.batches(plan, seed=0, epoch=0, start=3)] == fresh[3:]
    assert all(b["fresh"].all() for b in Windows(torch.arange(1000), 10).batches(plan, seed=0, epoch=0))


def test_other_text_or_window_has_another_fingerprint() -> None:
    ids = torch.arange(100)
    prints = {Windows(ids, 10).fingerprint(), Windows(ids, 11).fingerprint(), Windows(ids + 1, 10).fingerprint()}
    assert len(prints | {Windows(ids, 10, whole=True).fingerprint()}) == 4
    assert Windows(ids.clone(), 10).fingerprint() in prints


@given(st.lists(st.integers(1, 40), min_size=1, max_size=200), st.integers(1, 8), st.sampled_from([None, 40, 100]))
def test_buckets_hold_everything_once_and_keep_their_budget(
    lengths: list[int], batch_size: int, tokens: int | None
) -> None:
    found = np.array(lengths)
    plan = Bucketed(found, tokens).plan(len(lengths), 0, 1, batch_size)
    assert len(np.unique(plan.order)) == len(plan.order)
    if tokens:
        assert len(plan.order) == len(lengths)
        assert all(len(b) * found[b].max() <= tokens or len(b) == 1 for b in plan)
        assert max(plan.sizes) <= batch_size
    else:
        assert len(plan.order) == (
            len(lengths) - len(lengths) % batch_size if len(lengths) > batch_size else len(lengths)
        )


def test_buckets_pad_little_and_change_with_the_epoch() -> None:
    lengths = np.random.default_rng(0).integers(1, 100, 32 * POOL * 3)
    one, two = (Bucketed(lengths).plan(len(lengths), 0, epoch, 32) for epoch in (0, 1))
    padded = sum(len(b) * int(lengths[b].max()) for b in one)
    assert padded < 1.1 * lengths.sum()
    assert one.order.tolist() != two.order.tolist()
    assert one.order.tolist() == Bucketed(lengths).plan(len(lengths), 0, 0, 32).order.tolist()
    firsts = [int(lengths[b].max()) for b in one]
    assert firsts != sorted(firsts)
