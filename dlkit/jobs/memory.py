"""Amounts of memory as people write them."""

from __future__ import annotations

import re
from decimal import Decimal

from dlkit.errors import UsageError

_UNITS = {"": 1, "B": 1, "kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_UNITS |= {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}


def parse_memory(text: str) -> int:
    """``4GiB``, ``500 MB``, ``1.5GB`` or bytes → bytes; UsageError names the forms."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?) ?([A-Za-z]*)", text.strip())
    if match is None or match[2] not in _UNITS:
        raise UsageError(f"{text!r} is not an amount of memory: write it as 4GiB, 500MiB, 4GB, or in bytes")
    return int(Decimal(match[1]) * _UNITS[match[2]])


def memory_text(size: int) -> str:
    """Bytes for people: ``4.0 GiB``."""
    return f"{size / (1 << 30):.1f} GiB" if size >= 1 << 30 else f"{size / (1 << 20):.0f} MiB"
