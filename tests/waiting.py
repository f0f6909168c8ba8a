"""How tests wait: for an event, and long enough that only what will never happen takes so long.

A limit costs nothing while all is well. One that a busy machine can reach makes a test fail by chance.
"""

from __future__ import annotations

import time
from collections.abc import Callable

LONG = 120.0
"""Seconds after which something is said not to happen at all."""


def until(condition: Callable[[], object], what: str = "", *, every: float = 0.02, limit: float = LONG) -> None:
    """Look until the condition holds; AssertionError, with ``what``, if it never does."""
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline, what or "it did not happen"
        time.sleep(every)
