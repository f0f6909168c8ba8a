"""Image files that Pillow does not write: PNGs of 16 bits in colour and with opacity, and chunks after the pixels."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import numpy.typing as npt

_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
"""PNG's number for grey, grey with opacity, RGB and RGBA, by channels."""


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG file."""
    return struct.pack(">L", len(data)) + kind + data + struct.pack(">L", zlib.crc32(kind + data))


def png16(values: npt.NDArray[np.generic], before: bytes = b"", after: bytes = b"") -> bytes:
    """A PNG of values [H,W,C] of 16 bits, C from 1 to 4, with chunks before and after its pixels."""
    height, width, channels = values.shape
    header = struct.pack(">2L5B", width, height, 16, _COLOUR_TYPES[channels], 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    pixels = chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before + pixels + after + chunk(b"IEND", b"")


def tiff(values: npt.NDArray[np.generic], photometric: int) -> bytes:
    """A little-endian TIFF of values [H,W], integers or floats; ``photometric`` 0: white is 0, 1: black is."""
    (height, width), data = values.shape, values.tobytes()
    kind = {"u": 1, "i": 2, "f": 3}[values.dtype.kind]
    first = 8 + 2 + 12 * 9 + 4
    tags = [(256, width), (257, height), (258, 8 * values.itemsize), (259, 1), (262, photometric), (273, first)]
    entries = [
        struct.pack("<HHII", tag, 4, 1, value) for tag, value in [*tags, (277, 1), (279, len(data)), (339, kind)]
    ]
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + b"".join(entries) + struct.pack("<I", 0) + data
