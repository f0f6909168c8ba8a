"""Bytes that nobody meant, and a look at what they cost."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

MEMORY, SECONDS = 64 << 20, 2.0
"""What an input may take beyond ten times its own size, and beyond a microsecond for each of its bytes."""
_REFERENCES, _STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")


def mutated(generator: random.Random, seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    """One of the ``seeds``, some of its bytes changed, cut, doubled or replaced by ``words``."""
    data = bytearray(generator.choice(seeds))
    for _ in range(generator.choice((1, 1, 1, 2, 3, 8))):
        at = generator.randrange(len(data) + 1)
        length = generator.choice((0, 1, 2, 4, 16, len(data) // 4))
        kind = generator.randrange(6)
        if kind == 0:
            data[at : at + length] = generator.choice(words)
        elif kind == 1:
            data[at:at] = generator.choice(words)
        elif kind == 2:
            data[at : at + 1] = generator.randbytes(1)
        elif kind == 3:
            data[at:at] = data[at : at + length]
        elif kind == 4:
            del data[at : at + length]
        elif generator.random() < 0.3:
            del data[at:]
    return bytes(data)


@contextmanager
def bounded(size: int) -> Iterator[None]:
    """What happens inside, with an input of so many bytes, takes neither much time nor much memory."""
    before, began = _peak(reset=True), time.monotonic()
    yield
    taken, grown = time.monotonic() - began, _peak() - before
    assert taken < SECONDS + size * 1e-6, f"{taken:.1f} s"
    assert grown < MEMORY + 10 * size, f"{grown / 1e6:.0f} MB"


def _peak(reset: bool = False) -> int:
    """The most memory that this process had since the last reset, in bytes; 0 where the system does not tell."""
    try:
        if reset:
            _REFERENCES.write_text("5")
        lines = _STATUS.read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM")), 0)


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]
