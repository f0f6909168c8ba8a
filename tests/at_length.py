"""What takes minutes: done whole where ``DLKIT_TEST_SLOW`` is ``all``, a part of it in CI."""

from __future__ import annotations

import os

import pytest

ALL = os.environ.get("DLKIT_TEST_SLOW") == "all"
at_length = pytest.mark.skipif(not ALL, reason="minutes: DLKIT_TEST_SLOW=all")
"""Mark of a test that CI leaves out."""


def times(most: int) -> int:
    """So many times, or a fifth."""
    return most if ALL else most // 5
