"""What tests of jobs share: processes that find the toy plugins, and a workspace in memory whose processes end."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Iterator
from importlib import invalidate_caches
from pathlib import Path

import pytest

import zygote
from conftest import TESTS, install_metadata
from dlkit.jobs.board import Board
from dlkit.jobs.queue import scheduler

MEMORY = Path("/dev/shm")


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A folder in memory, where there is such a thing: a run is mostly fsyncs, which cost nothing there."""
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        yield Path(folder).resolve()


@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The toy plugins as installed ones, in this process and in those that it starts."""
    site = tmp_path / "site"
    install_metadata(site, "dlkit-toy", "toy", "toy")
    install_metadata(site, "dlkit-extras", "extras", "extras")
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(site), str(TESTS), str(TESTS.parent)]))
    invalidate_caches()


@pytest.fixture
def workspace(tmp_path: Path, plugins: None) -> Iterator[Path]:
    """A workspace whose scheduler and workers are gone when the test is."""
    folder = tmp_path / "workspace"
    folder.mkdir()
    yield folder
    end_processes(folder)


@pytest.fixture
def quick(tmp_path: Path, plugins: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """The launcher of processes that begin in milliseconds, as a part of a configuration."""
    with zygote.serving(tmp_path) as address:
        monkeypatch.setenv("DLKIT_ZYGOTE", str(address))
        yield {"name": "zygote"}


def end_processes(workspace: Path) -> None:
    """Scheduler first, or it would start others."""
    _end(scheduler(workspace))
    board = Board(workspace)
    board.refresh()
    for name in board.live():
        _end(board.record(name).get("worker"))
    deadline = time.monotonic() + 10
    while any(board.state(name) == "running" for name in board.live()) and time.monotonic() < deadline:
        time.sleep(0.02)


def _end(process: int | None) -> None:
    if process:
        try:
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            return
