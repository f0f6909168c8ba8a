"""Plans: which samples make up each batch, as a function of seed, epoch and batch size."""

from __future__ import annotations

from itertools import chain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlkit.data.plans import Balanced, Plan, Planner, Shuffled, in_order

SIZES = st.integers(1, 200)
BATCHES = st.integers(1, 64)
PLANS = st.lists(st.lists(st.integers(0, 99), max_size=6), max_size=8).map(Plan.of)


def lists(plan: Plan) -> list[list[int]]:
    return [batch.tolist() for batch in plan]


@given(size=SIZES, batch_size=BATCHES, seed=st.integers(0, 2**63 - 1), epoch=st.integers(0, 1000))
def test_training_covers_each_sample_at_most_once(size: int, batch_size: int, seed: int, epoch: int) -> None:
    plan = Shuffled().plan(size, seed, epoch, batch_size)
    seen = list(chain.from_iterable(lists(plan)))
    assert len(set(seen)) == len(seen)
    assert set(seen) <= set(range(size))
    if size >= batch_size:
        assert plan.sizes == [batch_size] * (size // batch_size), "only the partial last batch is dropped"
    else:
        assert plan.sizes == [size], "a partial batch is dropped only if there is a full one"
    assert len(plan) == Shuffled().length(size, seed, epoch, batch_size)


@given(size=st.integers(2, 200), batch_size=BATCHES, epoch=st.integers(0, 1000))
def test_a_plan_is_a_function_of_seed_and_epoch(size: int, batch_size: int, epoch: int) -> None:
    assert lists(Shuffled().plan(size, 1, epoch, batch_size)) == lists(Shuffled().plan(size, 1, epoch, batch_size))
    orders = {tuple(Shuffled().plan(200, seed, epoch, 200).order) for seed in range(5)}
    orders |= {tuple(Shuffled().plan(200, 0, epoch + later, 200).order) for later in range(1, 5)}
    assert len(orders) == 9


@given(size=SIZES, epoch=st.integers(0, 50))
def test_the_batch_size_does_not_change_the_order(size: int, epoch: int) -> None:
    whole = Shuffled().plan(size, 3, epoch, size).order
    parts = Shuffled().plan(size, 3, epoch, max(1, size // 3)).order
    assert parts.tolist() == whole[: len(parts)].tolist()


@given(size=st.integers(0, 200), batch_size=BATCHES)
def test_evaluation_drops_and_repeats_nothing(size: int, batch_size: int) -> None:
    plan = in_order(size, batch_size)
    assert list(chain.from_iterable(lists(plan))) == list(range(size))
    assert all(count == batch_size for count in plan.sizes[:-1])
    assert all(0 < count <= batch_size for count in plan.sizes)


@given(plan=PLANS, count=st.integers(0, 10))
def test_the_first_batches(plan: Plan, count: int) -> None:
    assert lists(plan.first(count)) == lists(plan)[:count]
    assert sum(plan.first(count).sizes) == len(plan.first(count).order)


@given(plan=PLANS, data=st.data())
def test_the_batches_after(plan: Plan, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(plan)))
    rest = plan.after(start)
    assert lists(rest) == lists(plan)[start:]
    assert sum(rest.sizes) == len(rest.order)


@given(plan=PLANS, data=st.data())
def test_first_and_after_cut_one_plan_in_two(plan: Plan, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(plan)))
    assert lists(plan.first(at)) + lists(plan.after(at)) == lists(plan)
    assert lists(plan.first(at).after(at)) == []


@given(batches=st.lists(st.lists(st.integers(0, 99), max_size=6), max_size=8))
def test_a_plan_is_a_sequence(batches: list[list[int]]) -> None:
    plan = Plan.of(batches)
    assert (len(plan), lists(plan), plan.sizes) == (len(batches), batches, [len(batch) for batch in batches])
    for index in range(-len(batches), len(batches)):
        assert plan[index].tolist() == batches[index]
        assert plan[index].dtype == np.int64
    for outside in (len(batches), -len(batches) - 1):
        with pytest.raises(IndexError):
            plan[outside]


class Buckets(Planner):
    """Samples of like length together: a plan of a task's own."""

    def plan(self, size: int, seed: int, epoch: int, batch_size: int) -> Plan:
        return Plan.of([[i for i in range(size) if i % 3 == bucket] for bucket in range(3)])


def test_a_planner_of_ones_own_tells_its_length() -> None:
    assert Buckets().length(7, 0, 0, 4) == 3
    assert lists(Buckets().plan(7, 0, 0, 4)) == [[0, 3, 6], [1, 4], [2, 5]]


@given(counts=st.lists(st.integers(1, 40), min_size=1, max_size=6), batch_size=BATCHES, epoch=st.integers(0, 50))
def test_a_balanced_plan_has_all_classes_alike(counts: list[int], batch_size: int, epoch: int) -> None:
    labels = np.repeat(np.arange(len(counts)) * 3, counts)
    size = len(labels)
    plan = Balanced(labels).plan(size, 5, epoch, size)
    drawn = np.bincount(labels[plan.order], minlength=3 * len(counts))[::3]
    assert drawn.sum() == size and drawn.max() - drawn.min() <= 1
    for label in np.unique(labels):
        times = np.bincount(plan.order, minlength=size)[labels == label]
        assert times.max() - times.min() <= 1
    some = Balanced(labels).plan(size, 5, epoch, batch_size)
    assert some.order.tolist() == plan.order[: len(some.order)].tolist()
    assert some.sizes == Shuffled().plan(size, 5, epoch, batch_size).sizes
    if size > 30:
        assert plan.order.tolist() != Balanced(labels).plan(size, 5, epoch + 1, size).order.tolist()
