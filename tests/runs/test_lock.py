"""run.lock: one writer; asking who it is takes nothing and makes nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dlkit.runs.lock import RunLock, holder
from waiting import LONG

ROOT = Path(__file__).parents[2]
HOLD = """
import sys, time
from pathlib import Path
from dlkit.runs.lock import RunLock
with RunLock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.lock"


@contextmanager
def held_elsewhere(path: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def freed(path: Path) -> bool:
    """Whether nobody holds it, soon after a process was killed."""
    deadline = time.monotonic() + LONG
    while holder(path) is not None and time.monotonic() < deadline:
        time.sleep(0.01)
    return holder(path) is None


def test_another_process_holds_it_until_it_is_killed(path: Path) -> None:
    with held_elsewhere(path) as process:
        assert holder(path) == process.pid
        with pytest.raises(BlockingIOError, match="is held by another process"), RunLock(path):
            pass
        assert holder(path) == process.pid, "asking and failing to take it change nothing"
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert freed(path)
        with RunLock(path):
            assert holder(path) == os.getpid()


def test_this_process_sees_its_own_lock_and_keeps_it_when_asked(path: Path) -> None:
    with RunLock(path):
        for _ in range(3):
            assert holder(path) == os.getpid()
        with pytest.raises(BlockingIOError, match="is held by this process"), RunLock(path):
            pass
        assert seen_from_outside(path) == str(os.getpid())
    assert holder(path) is None
    assert seen_from_outside(path) == "None"


def seen_from_outside(path: Path) -> str:
    code = "import sys; from pathlib import Path; from dlkit.runs.lock import holder; print(holder(Path(sys.argv[1])))"
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True, cwd=ROOT)
    return done.stdout.strip()


def test_a_forked_child_inherits_nothing_and_releases_nothing(path: Path) -> None:
    with RunLock(path):
        child = os.fork()
        if child == 0:  # like a loader's worker: it has the descriptor, and closes it as it ends
            os._exit(0)
        os.waitpid(child, 0)
        assert seen_from_outside(path) == str(os.getpid())


def test_it_is_free_though_a_child_of_its_killed_holder_lives(path: Path, tmp_path: Path) -> None:
    code = HOLD.replace("    print", "    import os\n    if os.fork() == 0:\n        time.sleep(60)\n    print", 1)
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    try:
        assert holder(path) == process.pid
        process.kill()
        process.wait()
        assert freed(path)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.stdout.close()


def test_asking_creates_nothing(tmp_path: Path) -> None:
    assert holder(tmp_path / "run.lock") is None
    assert holder(tmp_path / "absent" / "run.lock") is None
    assert list(tmp_path.iterdir()) == []


def test_asking_needs_no_right_to_write(path: Path) -> None:
    path.touch(mode=0o444)
    assert holder(path) is None


def test_one_file_under_two_names_is_one_lock(tmp_path: Path) -> None:
    (tmp_path / "runs" / "run").mkdir(parents=True)
    (tmp_path / "alias").symlink_to(tmp_path / "runs")
    path, other = tmp_path / "runs" / "run" / "run.lock", tmp_path / "alias" / "run" / "run.lock"
    with RunLock(path):
        assert holder(other) == os.getpid()
        with pytest.raises(BlockingIOError), RunLock(other):
            pass
    with RunLock(other):
        assert holder(path) == os.getpid()
