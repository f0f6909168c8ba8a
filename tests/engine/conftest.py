"""Fixtures of the engine's tests."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

MEMORY = Path("/dev/shm")


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A folder in memory, where there is such a thing: a run is mostly fsyncs, which cost nothing there."""
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        yield Path(folder).resolve()


@pytest.fixture(autouse=True, scope="package")
def one_thread() -> Iterator[None]:
    """Nothing here is large enough for two threads, which wait for each other on a busy machine (100 times slower)."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
