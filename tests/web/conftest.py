"""Servers for a module, or for one test."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from installed import all_but
from web.served import SMALL, Served, start, stop


@pytest.fixture(scope="module")
def small() -> Iterator[Served]:
    """A server of the small app, for all tests of a module."""
    served = start(sys.executable, str(SMALL), "serve")
    yield served
    stop(served)


@pytest.fixture
def another_small() -> Iterator[Served]:
    """One for a test that ends it."""
    served = start(sys.executable, str(SMALL), "serve")
    yield served
    stop(served)


@pytest.fixture
def dlkit_web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """``dlkit web``, on an empty workspace, with three plugins."""
    monkeypatch.setenv("DLKIT_DISABLE", all_but("classification", "regression", "scratch"))
    served = start(sys.executable, "-m", "dlkit", "web", "--workspace", str(tmp_path / "workspace"))
    yield served
    stop(served)
