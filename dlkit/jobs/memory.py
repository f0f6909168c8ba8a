"""Amounts of memory as people write them."""

from __future__ import annotations

from dlkit.errors import UsageError
from dlkit.sizes import byte_count


def parse_memory(text: str) -> int:
    """``4GiB``, ``500 MB``, ``1.5GB`` or bytes → bytes; UsageError names the forms."""
    try:
        return byte_count(text)
    except ValueError as error:
        raise UsageError(str(error)) from error


def memory_text(size: int) -> str:
    """Bytes for people: ``4.0 GiB``."""
    return f"{size / (1 << 30):.1f} GiB" if size >= 1 << 30 else f"{size / (1 << 20):.0f} MiB"
