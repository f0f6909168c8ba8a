"""What tests of jobs share: processes that find the toy plugins, and a workspace in memory whose processes end."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobsite import MEMORY, plugins, quick, site, workspace, zygote_address
from waiting import LONG

__all__ = ["plugins", "quick", "site", "workspace", "zygote_address"]


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A folder in memory, where there is such a thing: a run is mostly fsyncs, which cost nothing there."""
    folder = Path(tempfile.mkdtemp(dir=MEMORY if MEMORY.is_dir() else None)).resolve()
    yield folder
    deadline = time.monotonic() + LONG
    while folder.exists():
        try:
            shutil.rmtree(folder)
        except OSError:  # a scheduler that ends writes its last words
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
