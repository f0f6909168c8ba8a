"""Rows of several processes put together: in the order of ranks, as they are, whoever has none."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from dlkit.engine.distributed import World
from dlkit.task import OverRanks, together
from dlkit.testing.seats import seated

PADDING = -7.0
KINDS = [torch.float32, torch.float64, torch.int64]


def gathered(parts: list[Tensor | None]) -> list[Tensor | None]:
    """What each of several processes, of which each has one of the parts, gets."""

    def one(world: World) -> Tensor | None:
        return together(parts[world.rank], OverRanks(world.sum, world.rank, world.size), padding=PADDING)

    return seated(len(parts), one)


@given(data=st.data(), kind=st.sampled_from(KINDS), axes=st.integers(1, 4), ranks=st.integers(1, 4))
@settings(max_examples=40, deadline=None)
def test_everybody_gets_all_rows_in_the_order_of_ranks(data: st.DataObject, kind: Any, axes: int, ranks: int) -> None:
    sizes = st.one_of(st.none(), st.tuples(st.integers(0, 3), st.integers(0, 4)))
    drawn = data.draw(st.lists(sizes, min_size=ranks, max_size=ranks))
    parts: list[Tensor | None] = []
    for size in drawn:
        shape = None if size is None else [*size, 2, 3][:axes]
        parts.append(None if shape is None else (torch.randn(shape, dtype=torch.float64) * 100).to(kind))
    there = [part for part in parts if part is not None]
    widest = max((part.shape[1] for part in there), default=0) if axes > 1 else 0
    padded = []
    for part in there:
        wide = torch.full([len(part), widest, *part.shape[2:]][:axes], PADDING, dtype=torch.float64).to(kind)
        wide[tuple(slice(size) for size in part.shape)] = part
        padded.append(wide)
    for found in gathered(parts):
        if sum(map(len, there)) == 0:
            assert found is None
        else:
            assert found is not None and found.dtype == kind and torch.equal(found, torch.cat(padded))


def test_integers_that_float32_does_not_hold_arrive() -> None:
    large = torch.tensor([2**24 + 1, 2**53 + 1])
    for found in gathered([large, None]):
        assert found is not None and torch.equal(found, large)


def test_of_more_axes_than_are_known_it_says_so() -> None:
    with pytest.raises(ValueError, match="9 axes"):
        together(torch.zeros([1] * 9), OverRanks())
