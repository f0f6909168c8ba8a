"""Amounts of memory: read as people write them, and written so that they can be read again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlkit.errors import UsageError
from dlkit.jobs.memory import memory_text, parse_memory

GIB = 1 << 30


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("4GiB", 4 * GIB),
        ("4 GiB", 4 * GIB),
        (" 512MiB ", 512 << 20),
        ("1.5GB", 1_500_000_000),
        ("500MB", 500_000_000),
        ("0.1GB", 100_000_000),
        ("123", 123),
        ("9007199254740993", 9007199254740993),  # not a float
    ],
)
def test_memory_is_read(text: str, size: int) -> None:
    assert parse_memory(text) == size


@pytest.mark.parametrize("text", ["", "GiB", "4 gib", "-1", "4GiB5", "1e9", "1.GiB", "nan", "4  GiB", "four"])
def test_what_is_no_memory_is_refused_with_the_forms(text: str) -> None:
    with pytest.raises(UsageError, match="is not an amount of bytes: bytes, or as 4GiB, 500MB") as error:
        parse_memory(text)
    assert repr(text) in str(error.value)


@given(st.integers(0, 1 << 60))
def test_bytes_are_read_as_they_are(size: int) -> None:
    assert parse_memory(str(size)) == size


@given(st.integers(0, 1 << 50))
def test_memory_for_people_can_be_read_again(size: int) -> None:
    unit = GIB if size >= GIB else 1 << 20
    digit = unit // 10 if unit == GIB else unit
    assert abs(parse_memory(memory_text(size)) - size) <= digit // 2 + 1
