"""Fixtures of this plugin's tests: tables on disk, and real data where there is some."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from dlkit.data.context import Context
from dlkit_regression.sources import BIKE_SHARING


@pytest.fixture
def context(tmp_path: Path) -> Context:
    """For data sets that need no source."""
    return Context(tmp_path / "data", offline=True)


@pytest.fixture
def real() -> Context:
    """Real data, or the test is skipped with the reason."""
    root = os.environ.get("DLKIT_TEST_DATA")
    if not root:
        pytest.skip("DLKIT_TEST_DATA is not set")
    if not (Path(root) / "bike-sharing").is_dir():
        pytest.skip("DLKIT_TEST_DATA lacks bike-sharing")
    return Context(Path(root), {"bike-sharing": BIKE_SHARING}, offline=True)


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """``write("a,b\\n1,2\\n")``: a file with that text (or those bytes)."""

    def make(text: str | bytes, name: str = "table.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return make
