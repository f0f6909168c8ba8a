"""MNIST's files in small, for tests."""

from __future__ import annotations

import struct
from pathlib import Path


def write_mnist(folder: Path, part: str, images: int, label: int, sizes: tuple[int, int] = (28, 28)) -> None:
    """``images`` blank images and as many labels as ``label`` says, each of that value."""
    folder.mkdir(parents=True, exist_ok=True)
    pixels = bytes(images * sizes[0] * sizes[1])
    (folder / f"{part}-images-idx3-ubyte").write_bytes(b"\0\0\x08\x03" + struct.pack(">3I", images, *sizes) + pixels)
    (folder / f"{part}-labels-idx1-ubyte").write_bytes(
        b"\0\0\x08\x01" + struct.pack(">I", label) + bytes([label] * label)
    )
