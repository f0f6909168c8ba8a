"""Amounts of bytes as people write them, wherever an option takes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from dlkit.config import Config, Gibibytes, JobConfig
from dlkit.sizes import byte_count

UNITS = {"": 1, "B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12,
         "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}  # fmt: skip


@given(count=st.integers(0, 10**6), unit=st.sampled_from(list(UNITS)), blank=st.sampled_from(["", " "]))
def test_whole_amounts_in_every_unit(count: int, unit: str, blank: str) -> None:
    assert byte_count(f"{count}{blank if unit else ''}{unit}") == count * UNITS[unit]


@pytest.mark.parametrize("text", ["", "GiB", "4 gib", "4G", "-1", "1e9", "nan", "٤GiB"])
def test_what_is_none_is_refused_with_the_forms(text: str) -> None:
    with pytest.raises(ValueError, match="is not an amount of bytes: bytes, or as 4GiB, 500MB"):
        byte_count(text)


class Kept(Config):
    memory: Gibibytes = 1.0


def test_options_take_both_numbers_and_amounts() -> None:
    told = {2: 2.0, 0.5: 0.5, "2": 2.0, "512MiB": 0.5, "4 GiB": 4.0, "1GB": 10**9 / 2**30}
    assert {value: Kept(memory=value).memory for value in told} == told  # type: ignore[arg-type]
    for number in ("4G", "many"):
        with pytest.raises(ValidationError, match="is not an amount of bytes"):
            Kept(memory=number)  # type: ignore[arg-type]


def test_gpu_memory_as_a_number_of_bytes() -> None:
    assert JobConfig(gpu_memory=4 * 2**30).gpu_memory == "4294967296"  # type: ignore[arg-type]
    assert JobConfig(gpu_memory="4GiB").gpu_memory == "4GiB"
    with pytest.raises(ValidationError):
        JobConfig(gpu_memory="4G")
