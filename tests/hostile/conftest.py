"""A workspace for bad runs, deleted whatever it holds, and a limit for every test: what hangs fails."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import pytest

from hostile.bad_runs import delete
from jobsite import imported, plugins, quick, site, workspace, zygote_address
from waiting import LONG

__all__ = ["imported", "plugins", "quick", "site", "workspace", "zygote_address"]


@pytest.fixture
def bad_workspace(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "bad" / "workspace"
    folder.mkdir(parents=True)
    yield folder
    delete(folder)


@pytest.fixture(autouse=True)
def _limit(request: pytest.FixtureRequest) -> Iterator[None]:
    """A reader of a FIFO waits for ever: here an exception comes instead."""

    def expired(number: int, frame: FrameType | None) -> None:
        pytest.fail(f"{request.node.name} hangs")  # no Exception: nothing that is tested catches it

    before = signal.signal(signal.SIGALRM, expired)
    slow = request.node.get_closest_marker("slow") is not None
    signal.setitimer(signal.ITIMER_REAL, 10 * LONG if slow else LONG, 5)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)
