"""Code files: rounded once, exact from then on; and whatever is wrong with one is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from safetensors.numpy import save
from torch import nn

from dlkit.errors import DataError
from dlkit_autoencoder.codes import FORMAT, Code, dumped, model_hash, read_code, rounded

Bits = Literal[8, 16]
numbers = arrays(np.float32, st.integers(1, 40), elements=st.floats(-1e4, 1e4, width=32))
HEAD = {"format": FORMAT, "model": "0" * 16, "width": "30", "height": "20", "low": "-1.0", "high": "2.0"}


@given(values=numbers, bits=st.sampled_from([8, 16]))
def test_rounding_twice_is_rounding_once(values: np.ndarray[Any, Any], bits: Bits) -> None:
    once = rounded(values, bits)
    assert once.dtype == np.float32 and np.array_equal(rounded(once, bits), once)
    step = np.ptp(values) / 255 if bits == 8 else np.abs(values).max() / 1024
    assert np.abs(once - values).max() <= 0.51 * step + 1e-6


@given(values=numbers, bits=st.sampled_from([8, 16]), width=st.integers(1, 9000), invert=st.booleans())
def test_what_was_written_is_what_is_read(
    values: np.ndarray[Any, Any], bits: Bits, width: int, invert: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "photo.code"
    code = Code(rounded(values, bits), width, 7, "0123456789abcdef", invert)
    path.write_bytes(dumped(code, bits))
    found, found_bits = read_code(path)
    assert np.array_equal(found.numbers, code.numbers) and found_bits == bits
    assert (found.width, found.height, found.model, found.invert) == (width, 7, code.model, invert)
    assert len(path.read_bytes()) <= 300 + len(values) * bits // 8


@pytest.mark.parametrize("bits", [8, 16])
def test_numbers_that_no_file_holds(bits: Bits) -> None:
    with pytest.raises(DataError, match="no finite code"):
        rounded(np.array([1, np.nan], np.float32), bits)
    if bits == 16:
        with pytest.raises(DataError, match=r"1e\+06 is too large for 16 bits"):
            rounded(np.array([1e6], np.float32), bits)


def test_a_file_cut_anywhere_is_named(tmp_path: Path) -> None:
    whole = dumped(Code(rounded(np.linspace(-1, 1, 16, dtype=np.float32), 8), 30, 20, "0" * 16), 8)
    path = tmp_path / "cut.code"
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError, match=r"cut\.code: not a readable code file"):
            read_code(path)


@given(place=st.integers(0, 10_000), value=st.integers(0, 255))
def test_a_changed_byte_is_named_or_harmless(place: int, value: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    content = bytearray(dumped(Code(rounded(np.linspace(-1, 1, 16, dtype=np.float32), 8), 30, 20, "0" * 16), 8))
    content[place % len(content)] = value
    path = tmp_path_factory.getbasetemp() / "changed.code"
    path.write_bytes(content)
    try:
        found, _ = read_code(path)
    except DataError as error:
        assert "changed.code" in str(error)
    else:
        assert np.isfinite(found.numbers).all() and found.width * found.height > 0


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda head: {**head, "format": "other"}, "not a code file of format"),
        (lambda head: {k: v for k, v in head.items() if k != "low"}, "damaged: 'low'"),
        (lambda head: {**head, "high": "inf"}, "damaged: the code goes from -1 to inf"),
        (lambda head: {**head, "high": "-2"}, "damaged: the code goes from -1 to -2"),
        (lambda head: {**head, "width": "wide"}, "damaged: invalid literal"),
        (lambda head: {**head, "width": "0"}, "damaged: an original of 0x20"),
        (lambda head: {**head, "width": "9999999", "height": "9999999"}, "damaged: an original of 9999999x9999999"),
    ],
)
def test_metadata_that_make_no_sense(
    change: Callable[[dict[str, str]], dict[str, str]], match: str, tmp_path: Path
) -> None:
    path = tmp_path / "odd.code"
    path.write_bytes(save({"code": np.arange(4, dtype=np.uint8)}, change(HEAD)))
    with pytest.raises(DataError, match=rf"odd\.code: {match}"):
        read_code(path)


@pytest.mark.parametrize(
    ("tensors", "match"),
    [
        ({"code": np.zeros((2, 2), np.uint8)}, r"the shape \[2, 2\]"),
        ({"code": np.zeros(0, np.uint8)}, r"the shape \[0\]"),
        ({"code": np.zeros(4, np.int32)}, "of type int32"),
        ({"code": np.array([np.nan], np.float16)}, "not finite"),
        ({"image": np.zeros(4, np.uint8)}, "not a readable code file"),
    ],
)
def test_tensors_that_are_no_code(tensors: dict[str, Any], match: str, tmp_path: Path) -> None:
    path = tmp_path / "odd.code"
    path.write_bytes(save(tensors, HEAD))
    with pytest.raises(DataError, match=match):
        read_code(path)


def test_what_is_no_code_file_at_all(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"absent\.code"):
        read_code(tmp_path / "absent.code")
    (tmp_path / "large.code").write_bytes(bytes(2_000_000))
    with pytest.raises(DataError, match=r"large\.code: not a code file: 2,000,000 bytes"):
        read_code(tmp_path / "large.code")


def test_a_models_hash_is_of_its_weights() -> None:
    torch.manual_seed(0)
    one, other = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)), nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    assert model_hash(one) != model_hash(other)
    other.load_state_dict(one.state_dict())
    assert model_hash(one) == model_hash(other)
    other[1].running_mean.add_(1e-6)  # type: ignore[operator,union-attr]
    assert model_hash(one) != model_hash(other)
