"""Amounts of bytes as people write them."""

from __future__ import annotations

import re
from decimal import Decimal

_UNITS = {"": 1, "B": 1, **{f"{letter}B": 1000**n for n, letter in enumerate("kMGT", 1)}}
_UNITS |= {"KB": 1000, **{f"{letter}iB": 1024**n for n, letter in enumerate("KMGT", 1)}}
FORMS = "bytes, or as 4GiB, 500MB"


def byte_count(text: str) -> int:
    """``4GiB``, ``500 MB``, ``1.5GB`` or bytes → bytes; ValueError names the forms."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?) ?([A-Za-z]*)", text.strip(), re.ASCII)
    if match is None or match[2] not in _UNITS:
        raise ValueError(f"{text!r} is not an amount of bytes: {FORMS}")
    return int(Decimal(match[1]) * _UNITS[match[2]])
