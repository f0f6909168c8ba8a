"""Fixtures for real jobs: the toy plugins installed, a workspace whose processes end, quick training processes.

A folder of tests takes them by importing them in its conftest.py.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from importlib import invalidate_caches
from pathlib import Path

import pytest

import zygote
from dlkit.jobs import detach
from dlkit.jobs.queue import scheduler
from dlkit.jobs.queue_state import QueueState
from installed import TESTS, install_metadata
from waiting import LONG

MEMORY = Path("/dev/shm")


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the toy plugins are installed."""
    folder = tmp_path_factory.mktemp("plugins") / "site"
    install_metadata(folder, "dlkit-toy", "toy", "toy")
    install_metadata(folder, "dlkit-extras", "extras", "extras")
    install_metadata(folder, "dlkit-unruly", "unruly", "unruly")
    return folder


@pytest.fixture
def plugins(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The toy plugins as installed ones, in this process and in those that it starts."""
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("PYTHONPATH", _search_path(site))
    invalidate_caches()


def _search_path(site: Path) -> str:
    return os.pathsep.join([str(site), str(TESTS), str(TESTS.parent)])


@pytest.fixture
def workspace(tmp_path: Path, plugins: None) -> Iterator[Path]:
    """A workspace whose scheduler and workers are gone when the test is."""
    folder = tmp_path / "workspace"
    folder.mkdir()
    yield folder
    end_processes(folder)


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


@pytest.fixture(scope="session")
def zygote_address(site: Path) -> Iterator[Path]:
    """One server for all tests: it knows nothing of theirs but where the plugins are."""
    with (
        pytest.MonkeyPatch.context() as patch,
        tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder,
    ):
        patch.setenv("PYTHONPATH", _search_path(site))
        with zygote.serving(Path(folder)) as address:
            yield address


@pytest.fixture
def quick(zygote_address: Path, plugins: None, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The launcher of processes that begin in milliseconds, as a part of a configuration."""
    monkeypatch.setenv("DLKIT_ZYGOTE", str(zygote_address))
    return {"name": "zygote"}


@pytest.fixture
def imported(zygote_address: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked about a model, or tries one, begins in milliseconds too."""
    monkeypatch.setenv("DLKIT_ZYGOTE", str(zygote_address))
    for module in ("dlkit.monitor.model_process", "dlkit.engine.probe.asking"):
        monkeypatch.setattr(f"{module}.python", zygote.stand_in)


def end_processes(workspace: Path) -> None:
    """Scheduler first, or it would start others."""
    _end(scheduler(workspace))
    queue = QueueState(workspace)
    queue.refresh()
    for name in queue.live():
        _end(queue.record(name).get("worker"))
    deadline = time.monotonic() + LONG
    while any(queue.state(name) == "running" for name in queue.live()) and time.monotonic() < deadline:
        time.sleep(0.02)
    for process in detach._started:  # or Python warns of it when it ends
        process.wait(LONG)


def _end(process: int | None) -> None:
    if process:
        try:
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            return
