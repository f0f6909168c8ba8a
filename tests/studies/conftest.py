"""What tests of studies share with those of jobs: processes that find the toy plugins, and end."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from dlkit.studies.folder import driver, list_studies
from jobsite import end_processes, imported, plugins, quick, site, tmp_path, zygote_address
from waiting import until

__all__ = ["imported", "plugins", "quick", "site", "tmp_path", "zygote_address"]


@pytest.fixture
def workspace(tmp_path: Path, plugins: None) -> Iterator[Path]:
    """A workspace whose drivers, scheduler and workers are gone when the test is."""
    folder = tmp_path / "workspace"
    folder.mkdir()
    yield folder
    for study in list_studies(folder):
        if process := driver(study):
            os.kill(process, signal.SIGKILL)
            until(lambda: driver(study) is None)  # noqa: B023  # asked before the next one
    end_processes(folder)
