"""Fixtures of this plugin's tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from dlkit.data.context import Context


@pytest.fixture
def context(tmp_path: Path) -> Context:
    """For data sets that need no source."""
    return Context(tmp_path / "data", offline=True)
