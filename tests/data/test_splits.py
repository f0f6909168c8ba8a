"""Splits: batches as planned, padded as declared, the same whoever makes them."""

from __future__ import annotations

import copy
import multiprocessing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from dlkit.data.destination import HOST
from dlkit.data.plans import Plan, Shuffled, in_order
from dlkit.data.ragged import Ragged, pad
from dlkit.data.randomness import rng as stream
from dlkit.data.splits import Batch, Data, MapSplit, Moving, OnHost, Split, TensorSplit

LENGTHS = st.lists(st.integers(0, 6), min_size=1, max_size=12)
WIDTHS = st.sampled_from([(), (4,), (2, 3)])


def rows_of(lengths: list[int], shape: tuple[int, ...] = ()) -> list[Tensor]:
    generator = torch.Generator().manual_seed(sum(lengths))
    return [torch.randint(0, 100, (length, *shape), generator=generator) for length in lengths]


def padded(rows: list[Tensor], padding: float) -> Tensor:
    """[N, longest, …], written out."""
    longest = max((len(row) for row in rows), default=0)
    filler = [torch.full((longest - len(row), *row.shape[1:]), padding, dtype=row.dtype) for row in rows]
    return torch.stack([torch.cat(pair) for pair in zip(rows, filler, strict=True)])


def same(one: Batch, other: Batch) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


@given(lengths=LENGTHS, shape=WIDTHS, padding=st.integers(-1, 3), data=st.data())
@settings(deadline=None)
def test_a_ragged_column_is_padded_to_the_longest_row(
    lengths: list[int], shape: tuple[int, ...], padding: int, data: st.DataObject
) -> None:
    rows = rows_of(lengths, shape)
    column = Ragged.of(rows, padding)
    assert len(column) == len(rows)
    index = data.draw(st.lists(st.integers(0, len(rows) - 1), min_size=1, max_size=9))
    assert torch.equal(column[torch.tensor(index)], padded([rows[i] for i in index], padding))
    assert torch.equal(pad(rows, padding), padded(rows, padding))


def test_nothing_is_padded_to_nothing() -> None:
    column = Ragged.of([torch.ones(2), torch.ones(0)])
    assert column[torch.tensor([1, 1])].shape == (2, 0)
    assert column[torch.tensor([], dtype=torch.int64)].shape == (0, 0)
    assert Ragged.of([torch.ones(0), torch.ones(0)])[torch.arange(2)].shape == (2, 0)


@given(size=st.integers(1, 60), batch_size=st.integers(1, 20), start=st.integers(0, 5), ragged=st.booleans())
@settings(deadline=None)
def test_batches_are_the_plans(size: int, batch_size: int, start: int, ragged: bool) -> None:
    x = torch.arange(size * 2).reshape(size, 2)
    rows = rows_of([i % 4 for i in range(size)])
    columns: dict[str, Tensor | Ragged] = {"x": x, **({"words": Ragged.of(rows, -1)} if ragged else {})}
    split = TensorSplit(columns)
    plan = split.planner.plan(size, 7, 2, batch_size)
    start = min(start, len(plan))
    found = list(split.batches(plan, seed=7, epoch=2, start=start))
    assert len(found) == len(plan) - start
    for batch, index in zip(found, list(plan)[start:], strict=True):
        assert torch.equal(batch["x"], x[torch.from_numpy(index)])
        if ragged:
            assert torch.equal(batch["words"], padded([rows[i] for i in index], -1))
        assert same(batch, split.take(torch.from_numpy(index)))


@given(ragged=st.booleans(), one_by_one=st.booleans())
@settings(deadline=None)
def test_batches_of_a_split_kept_on_the_host_are_the_same(ragged: bool, one_by_one: bool) -> None:
    """In whichever way it is kept there: its rows are moved before the transform, or batches after it."""
    columns: dict[str, Tensor | Ragged] = {"x": torch.arange(7)}
    if ragged:
        columns["words"] = Ragged.of(rows_of([3, 0, 1, 2, 5, 1, 1]), -1)
    split = TensorSplit(columns, transform=lambda batch: {**batch, "half": batch["x"] / 2})
    kept = Moving(split, HOST) if one_by_one else split.kept_on_host(HOST)
    plan = split.planner.plan(7, 1, 0, 3)
    both = zip(kept.batches(plan, seed=1, epoch=0), split.batches(plan, seed=1, epoch=0), strict=True)
    assert all(same(*batches) for batches in both)
    assert same(kept.take(torch.tensor([4, 1])), split.take(torch.tensor([4, 1])))
    assert (len(kept), kept.fingerprint()) == (7, split.fingerprint())
    assert split.nbytes == 7 * 8 + (8 * 8 + columns["words"].values.nbytes if ragged else 0)  # type: ignore[union-attr]


@dataclass
class Noting:
    """A destination where everything lies already; it notes what it is asked for."""

    torch_device: torch.device = HOST.torch_device
    loader_options: Mapping[str, Any] = field(default_factory=dict)
    asked: list[int] = field(default_factory=list)

    def put(self, tensor: Tensor) -> Tensor:
        self.asked.append(tensor.data_ptr())
        return tensor


def test_the_order_goes_to_where_the_columns_have_been_from_the_start() -> None:
    """Columns that a data set has put on the device itself."""
    there, plan = Noting(), in_order(6, 3)
    split = TensorSplit({"x": torch.arange(6)}).to(there)
    assert [batch["x"].tolist() for batch in split.batches(plan, seed=0, epoch=0)] == [[0, 1, 2], [3, 4, 5]]
    assert torch.from_numpy(plan.order).data_ptr() in there.asked


def test_a_split_that_was_kept_on_the_host_moves_nothing_back_there() -> None:
    there = Noting()
    split = TensorSplit({"x": torch.arange(6)}).kept_on_host(there).to(HOST)
    assert [len(batch["x"]) for batch in split.batches(in_order(6, 3), seed=0, epoch=0)] == [3, 3]
    assert not there.asked


def test_a_transform_is_applied_to_whole_batches_everywhere() -> None:
    split = TensorSplit({"x": torch.arange(6)}, transform=lambda batch: {"x": batch["x"] / 2})
    (batch,) = split.batches(in_order(6, 6), seed=0, epoch=None)
    assert batch["x"].tolist() == [0, 0.5, 1, 1.5, 2, 2.5]
    assert same(batch, split.take(torch.arange(6)))
    assert same(batch, split.to(HOST).take(torch.arange(6)))


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match=r"columns differ in length: \{'x': 3, 'y': 2\}"):
        TensorSplit({"x": torch.ones(3), "y": torch.ones(2)})


def test_the_fingerprint_is_of_the_content() -> None:
    def split(values: list[float], padding: float = 0, dtype: torch.dtype = torch.float32) -> TensorSplit:
        ragged = Ragged.of([torch.ones(2), torch.ones(1)], padding)
        return TensorSplit({"x": torch.tensor(values, dtype=dtype), "words": ragged})

    first = split([1, 2]).fingerprint()
    assert split([1, 2]).fingerprint() == first
    assert split([1, 3]).fingerprint() != first
    assert split([1, 2], dtype=torch.float64).fingerprint() != first
    strided = TensorSplit({"x": torch.arange(8).reshape(4, 2).T})
    assert strided.fingerprint() == TensorSplit({"x": torch.arange(8).reshape(4, 2).T.contiguous()}).fingerprint()


def test_a_data_sets_fingerprint_leaves_the_test_split_out() -> None:
    train, val, test, other = (TensorSplit({"x": torch.full((2,), i)}) for i in range(4))
    data = Data(train=train, val=val, test=test, info={})
    assert data.fingerprint() == Data(train=train, val=val, info={}).fingerprint()
    assert data.fingerprint() != Data(train=val, val=train, info={}).fingerprint()
    assert data.fingerprint() != Data(train=train, val=other, info={}).fingerprint()
    assert list(data.splits) == ["train", "val", "test"]


class Sentences(MapSplit):
    """Sentences of different length, in training with noise."""

    padding = {"words": -1}

    def __init__(self, size: int = 23, **options: Any) -> None:
        super().__init__(**options)
        self.size = size

    def __len__(self) -> int:
        return self.size

    def sample(self, index: int, rng: np.random.Generator | None) -> Mapping[str, Any]:
        noise = 0.0 if rng is None else rng.normal()
        return {"words": np.arange(index % 5), "noise": np.float32(noise), "index": index}

    def fingerprint(self) -> str:
        return str(self.size)


@pytest.fixture(scope="module")
def crews() -> Iterator[dict[int, Sentences]]:
    """The same split with that many workers, which stay."""
    splits = {workers: Sentences() for workers in (0, 1, 2)}
    for workers, split in splits.items():
        split.to(HOST, workers)
    yield splits
    for split in splits.values():
        split.close()


def test_workers_load_as_the_destination_likes_it_best() -> None:
    """What a device asks of loaders reaches them, and batches reach the device by its ``put``."""
    put: list[Tensor] = []

    class Picky:
        torch_device = torch.device("cpu")
        loader_options = {"prefetch_factor": 1}

        def put(self, tensor: Tensor) -> Tensor:
            put.append(tensor)
            return tensor

    split = Sentences().to(Picky(), 1)
    (batch,) = split.batches(in_order(4, 4), seed=0, epoch=None)
    assert [id(tensor) for tensor in put] == [id(column) for column in batch.values()]
    (loader, _) = split._loaders[False]
    assert loader.prefetch_factor == 1
    split.close()


@given(epoch=st.one_of(st.none(), st.integers(0, 5)), batch_size=st.integers(1, 23), data=st.data())
@settings(max_examples=12, deadline=None)
def test_workers_make_the_same_batches(
    crews: dict[int, Sentences], epoch: int | None, batch_size: int, data: st.DataObject
) -> None:
    plan = in_order(23, batch_size) if epoch is None else Shuffled().plan(23, 5, epoch, batch_size)
    start = data.draw(st.integers(0, len(plan)))
    alone = list(crews[0].batches(plan, seed=5, epoch=epoch, start=start))
    assert [batch["index"].tolist() for batch in alone] == [list(index) for index in plan][start:]
    for workers in (1, 2):
        together = list(crews[workers].batches(plan, seed=5, epoch=epoch, start=start))
        assert len(together) == len(alone)
        assert all(same(one, other) for one, other in zip(together, alone, strict=True))


def test_a_samples_noise_is_a_function_of_seed_epoch_and_index(crews: dict[int, Sentences]) -> None:
    for split in crews.values():
        (batch,) = split.batches(Plan.of([[3, 9]]), seed=5, epoch=4)
        expected = [np.float32(stream(5, "sample", 4, index).normal()) for index in (3, 9)]
        assert batch["noise"].tolist() == expected
        (still,) = split.batches(Plan.of([[3, 9]]), seed=5, epoch=None)
        assert still["noise"].tolist() == [0, 0]


def test_an_epoch_that_is_left_in_the_middle_does_not_disturb_the_next(crews: dict[int, Sentences]) -> None:
    plan = in_order(23, 2)
    for split in crews.values():
        left = split.batches(plan, seed=5, epoch=0)
        next(left)
        left.close()  # type: ignore[attr-defined]
        assert [b["index"].tolist() for b in split.batches(plan, seed=5, epoch=1)] == [list(i) for i in plan]


def test_evaluation_may_come_in_the_middle_of_an_epoch(crews: dict[int, Sentences]) -> None:
    plan = in_order(23, 4)
    for split in crews.values():
        training = split.batches(plan, seed=5, epoch=0)
        seen = [next(training)["index"].tolist()]
        assert len(list(split.batches(plan, seed=5, epoch=None))) == len(plan)
        seen += [batch["index"].tolist() for batch in training]
        assert seen == [list(index) for index in plan]


def test_a_split_that_is_closed_begins_anew() -> None:
    split = Sentences().to(HOST, 1)
    first = list(split.batches(in_order(23, 8), seed=5, epoch=0))
    assert len(multiprocessing.active_children()) >= 1
    before = set(multiprocessing.active_children())
    split.close()
    assert len(before - set(multiprocessing.active_children())) == 1
    again = list(split.batches(in_order(23, 8), seed=5, epoch=0))
    assert all(same(one, other) for one, other in zip(first, again, strict=True))
    split.close()


def test_workers_leave_the_training_stream_alone() -> None:
    split = Sentences().to(HOST, 1)
    torch.manual_seed(3)
    undisturbed = torch.rand(3).tolist()
    torch.manual_seed(3)
    for epoch in range(2):
        list(split.batches(in_order(23, 8), seed=5, epoch=epoch))
    split.close()
    assert torch.rand(3).tolist() == undisturbed


def test_a_split_with_workers_and_a_transform_can_be_sent_to_another_process() -> None:
    """Where workers are not forked, they get a copy: it needs neither transform nor workers."""
    split = Sentences(transform=lambda batch: batch).to(HOST, 1)
    list(split.batches(in_order(23, 23), seed=5, epoch=0))
    sent = copy.copy(split)
    split.close()
    assert (sent.transform, sent._loaders, sent.size) == (None, {}, 23)


def test_samples_taken_are_without_noise_and_transformed() -> None:
    split = Sentences(transform=lambda batch: {**batch, "double": batch["index"] * 2})
    batch = split.take(torch.tensor([4, 0, 2]))
    assert batch["double"].tolist() == [8, 0, 4]
    assert batch["noise"].tolist() == [0, 0, 0]
    assert batch["words"].tolist() == [[0, 1, 2, 3], [-1, -1, -1, -1], [0, 1, -1, -1]]


@pytest.mark.parametrize("split", [TensorSplit({"index": torch.arange(9)}), Sentences(9)])
def test_a_split_on_the_host_is_the_same_split(split: Split) -> None:
    host = OnHost(split)
    assert (len(host), host.fingerprint(), host.planner) == (9, split.fingerprint(), split.planner)
    assert same(host.take(torch.tensor([5, 1])), split.take(torch.tensor([5, 1])))
    plan = in_order(9, 4)
    pairs = zip(host.batches(plan, seed=0, epoch=1), split.batches(plan, seed=0, epoch=1), strict=True)
    assert all(same(one, other) for one, other in pairs)
    assert all(column.device == HOST.torch_device for column in host.take(torch.tensor([0])).values())
