"""A disk that is full: the run fails and says so, what is good stays good, and it can go on when there is room."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dlkit.engine import loop
from dlkit.engine.attempt import Attempt
from dlkit.errors import RunError
from dlkit.events import Checkpointed, Event, Finished
from dlkit.runs.checkpoints import complete
from dlkit.runs.folder import RunFolder, summarise
from dlkit.runs.log import read_events
from outcome import close_at, outcome, values_of
from toy import finish, toy_attempt, toy_resume, toy_run
from waiting import LONG

TESTS = Path(__file__).parents[1]


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """Every file of this process: what the system refuses beyond (EFBIG) stands for a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def one_checkpoint_at_a_time(events: Iterable[Event]) -> Iterator[Event]:
    """The same events, no step being made while a checkpoint is written.

    On a busy machine, checkpoints that are skipped meanwhile would fill the log, which is limited as well.
    """
    for event in events:
        yield event
        for thread in [thread for thread in threading.enumerate() if thread.name == "checkpoint"]:
            thread.join(LONG)


def train_with_room_until_a_checkpoint(attempt: Attempt, room: int) -> Finished:
    """To the end, files being limited from the first checkpoint on."""
    stream = one_checkpoint_at_a_time(attempt.events())
    for event in stream:
        if isinstance(event, Checkpointed):
            break
    with files_no_larger_than(room):
        *_, last = stream
    assert isinstance(last, Finished)
    return last


def check_and_go_on(run: RunFolder, workspace: Path) -> None:
    """It is readable, its checkpoints are whole, and it ends like an undisturbed one."""
    summary = summarise(run)
    assert summary.state == "failed"
    assert "File too large" in summary.reason
    assert all(checkpoint.problems() == [] for checkpoint in complete(run.path))
    assert not list(run.checkpoints.glob(".*")), "nothing half-written is left"
    finish(toy_resume(run))
    whole = toy_run(workspace / "whole", epochs=6)
    assert outcome(run) == outcome(whole)
    assert values_of(run) == values_of(whole)


def test_a_checkpoint_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "FLUSH_SECONDS", 0)
    attempt = toy_attempt(tmp_path, epochs=6, checkpoint_every=1e-6)
    last = train_with_room_until_a_checkpoint(attempt, room=1 << 13)  # the generators' state is larger
    assert attempt.run.events.stat().st_size < 1 << 12, "the log had room to spare"
    steps = [checkpoint.step for checkpoint in complete(attempt.run.path)]
    assert last.status == "failed"
    assert last.reason.startswith("could not write: ")
    assert last.reason.endswith(f"last good checkpoint: step {steps[-1]}")
    assert isinstance(read_events(attempt.run.events)[-1], Finished)
    check_and_go_on(attempt.run, tmp_path)


def test_an_event_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "FLUSH_SECONDS", 0)
    attempt = toy_attempt(tmp_path, epochs=6)
    stream = attempt.events()
    for event in stream:
        if isinstance(event, Checkpointed):
            break
    before = attempt.run.events.read_bytes()
    with files_no_larger_than(len(before) + 40):
        *_, last = stream
    assert isinstance(last, Finished)
    assert last.status == "failed"
    assert attempt.run.events.read_bytes() == before, "no part of a line is left behind"
    assert isinstance(read_events(attempt.run.events)[0].seq, int)
    check_and_go_on(attempt.run, tmp_path)


def tmpfs_can_be_mounted() -> bool:
    if sys.platform != "linux" or shutil.which("unshare") is None:
        return False
    command = ["unshare", "-rm", "mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", "/mnt"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.mark.slow
@pytest.mark.skipif(not tmpfs_can_be_mounted(), reason="no tmpfs can be mounted here")
@pytest.mark.parametrize("what", ["checkpoint", pytest.param("event", marks=pytest.mark.slow)])
def test_a_disk_that_is_really_full(tmp_path: Path, what: str) -> None:
    """In a mount namespace of its own, on a file system of one megabyte that something else fills."""
    script = f"mount -t tmpfs -o size=1m tmpfs {tmp_path} && exec {sys.executable} {Path(__file__)} {tmp_path} {what}"
    environment = {**os.environ, "PYTHONPATH": f"{TESTS}:{TESTS.parent}", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["status"] == "failed"
    assert found["reason"].startswith("could not write: ")
    assert "No space left on device" in found["reason"]
    assert "last good checkpoint: step " in found["reason"]
    assert found["state"] == ["failed", found["reason"]]
    assert found["problems"] == []
    assert found["last"] == "finished", "there was room kept to say so"
    assert [text.partition(": ")[2] for text in found["refused"]] == ["No space left on device"] * 2
    assert found["resumed"] == found["whole"]


def on_a_full_disk(folder: Path, what: str) -> dict[str, object]:
    """What the subprocess does: fill the disk when there is a checkpoint, free it after the run's end, go on."""
    loop.FLUSH_SECONDS = 0
    every = 1e-6 if what == "checkpoint" else 60
    engine: dict[str, Any] = {"epochs": 60, "eval_every": "end", "sample_every": "end", "checkpoint_every": every}
    run = close_at(toy_attempt(folder, **engine), 5)
    filler = folder / "filler"
    stream = toy_resume(run).events()
    next(stream)
    fill(filler, spare=1 << 14 if what == "checkpoint" else 0)
    *_, last = stream
    assert isinstance(last, Finished)
    summary = summarise(run)
    found = {
        "status": last.status,
        "reason": last.reason,
        "state": [summary.state, summary.reason],
        "problems": [problem for c in complete(run.path) for problem in c.problems()],
        "last": read_events(run.events)[-1].event,
    }
    fill(filler, spare=0)
    found["refused"] = refused(folder, run)
    filler.unlink()
    resumed = outcome(finish(toy_resume(run)))
    shutil.rmtree(run.path)
    return {**found, "resumed": resumed, "whole": outcome(toy_run(folder, **engine))}


def refused(folder: Path, run: RunFolder) -> list[str]:
    """What is said to somebody who would begin, or go on, on a disk that is full."""
    said = []
    for attempt in (lambda: toy_attempt(folder), lambda: toy_resume(run)):
        try:
            finish(attempt())
        except RunError as error:
            said.append(str(error))
    return said


def fill(path: Path, spare: int) -> None:
    """Take all the space there is, but for some."""
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            file.truncate(max(0, file.tell() - spare))


if __name__ == "__main__":
    print(json.dumps(on_a_full_disk(Path(sys.argv[1]), sys.argv[2])))
