"""IDX, the file format of MNIST and its relatives (LeCun, Cortes, Burges), plain or gzipped.

A file is: two zero bytes, one for the type, one for the number of axes, each axis as a big-endian uint32, the values in
big-endian row-major order.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from dlkit.errors import DataError

_DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_GZIP_MAGIC = b"\x1f\x8b"
_MOST_AXES = 8
_RATIO = 1100
"""What deflate makes of its input at most: 1032 bytes of one, and some for short ones."""


def read_idx(path: Path) -> npt.NDArray[np.generic]:
    """The array in an IDX file, in native byte order, read straight into its final memory.

    DataError names the file if it is missing, no IDX file, truncated, or longer than its header says.
    """
    try:
        with _opened(path) as file:
            return _parse(path, file)
    except (OSError, EOFError, zlib.error) as error:  # gzip raises all three on damaged files
        raise DataError(f"{path}: cannot be read: {error}") from error


def find_idx(folder: Path, name: str) -> Path:
    """``folder/name`` or ``folder/name.gz``, whichever is there; DataError if neither is."""
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return path
    raise DataError(f"{folder}: has neither {name} nor {name}.gz")


def _opened(path: Path) -> IO[bytes]:
    # By content: copies of MNIST go about unzipped with .gz in their name, and the other way round.
    with path.open("rb") as file:
        zipped = file.read(2) == _GZIP_MAGIC
    return gzip.open(path, "rb") if zipped else path.open("rb")  # type: ignore[return-value]


def _parse(path: Path, file: IO[bytes]) -> npt.NDArray[np.generic]:
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in _DTYPES or not 0 < magic[3] <= _MOST_AXES:
        raise DataError(f"{path}: not an IDX file (it begins with {magic.hex(' ') or 'nothing'})")
    axes = file.read(4 * magic[3])
    if len(axes) < 4 * magic[3]:
        raise DataError(f"{path}: truncated within its header")
    shape = struct.unpack(f">{magic[3]}I", axes)
    dtype = np.dtype(_DTYPES[magic[2]])
    size = math.prod(shape) * dtype.itemsize
    # A corrupt header must not ask for all the memory.
    if size > (most := path.stat().st_size * _RATIO) or (not size and max(shape) > most):
        raise DataError(f"{path}: its header announces {size} bytes (shape {list(shape)}), more than it can hold")
    values = np.empty(size, np.uint8)
    found = _fill(file, values.data)
    if found < size:
        raise DataError(f"{path}: truncated: {found} bytes of values, {size} announced (shape {list(shape)})")
    if file.read(1):
        raise DataError(f"{path}: goes on after the {size} bytes of values it announces (shape {list(shape)})")
    return values.view(dtype).reshape(shape).astype(dtype.newbyteorder("="), copy=False)


def _fill(file: IO[bytes], target: memoryview) -> int:
    """Read until the target is full or the file ends; returns the bytes read."""
    filled = 0
    while filled < len(target):
        got = file.readinto(target[filled:])  # type: ignore[attr-defined]
        if not got:
            break
        filled += got
    return filled
