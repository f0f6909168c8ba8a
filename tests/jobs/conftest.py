"""What tests of jobs share: processes that find the toy plugins, and a workspace in memory whose processes end."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobsite import MEMORY, plugins, quick, site, workspace, zygote_address

__all__ = ["plugins", "quick", "site", "workspace", "zygote_address"]


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A folder in memory, where there is such a thing: a run is mostly fsyncs, which cost nothing there."""
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        yield Path(folder).resolve()
