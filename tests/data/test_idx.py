"""IDX files, as MNIST's: read back exactly, and every kind of damage named."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dlkit.data.idx import find_idx, read_idx
from dlkit.errors import DataError

CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}
VALUES = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


def idx_bytes(values: npt.NDArray[Any]) -> bytes:
    header = bytes([0, 0, CODES[values.dtype.str[1:]], values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape)
    return header + values.astype(values.dtype.newbyteorder(">")).tobytes()


@given(
    values=st.sampled_from(list(CODES)).flatmap(
        lambda code: hnp.arrays(code, hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=4))
    ),
    zipped=st.booleans(),
)
def test_what_is_written_is_read(values: npt.NDArray[Any], zipped: bool, tmp_path_factory: Any) -> None:
    path = tmp_path_factory.mktemp("idx") / "values"
    path.write_bytes(gzip.compress(idx_bytes(values), mtime=0) if zipped else idx_bytes(values))
    found = read_idx(path)
    assert found.dtype == values.dtype.newbyteorder("=") and found.dtype.isnative
    np.testing.assert_array_equal(found, values)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not an IDX file"),
        (b"\x89PNG\r\n\x1a\n", "not an IDX file"),
        (b"\0\0\x07\x01\0\0\0\0", "not an IDX file"),
        (b"\0\0\x08\x03\0\0\0\x02", "truncated within its header"),
        (idx_bytes(VALUES)[:-1], "truncated: 23 bytes of values, 24 announced"),
        (idx_bytes(VALUES) + b"x", "goes on after"),
        (b"\0\0\x08\x02\xff\xff\xff\xff\xff\xff\xff\xff", "announces"),
        (gzip.compress(idx_bytes(VALUES), mtime=0)[:-9], "cannot be read"),
        (gzip.compress(idx_bytes(VALUES), mtime=0)[:-8] + bytes(8), "cannot be read"),
    ],
)
def test_a_damaged_file_is_named(content: bytes, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "images-idx3-ubyte"
    path.write_bytes(content)
    with pytest.raises(DataError, match=reason) as caught:
        read_idx(path)
    assert str(path) in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nothing-here"):
        read_idx(tmp_path / "nothing-here")


def test_plain_or_gzipped_is_found(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"neither labels nor labels\.gz"):
        find_idx(tmp_path, "labels")
    (tmp_path / "labels.gz").touch()
    assert find_idx(tmp_path, "labels") == tmp_path / "labels.gz"
    (tmp_path / "labels").touch()
    assert find_idx(tmp_path, "labels") == tmp_path / "labels"
