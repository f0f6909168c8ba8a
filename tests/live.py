"""A toy run that goes on in a process of its own until it is told to stop, for tests that look on and meddle."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, NamedTuple

from dlkit.events import MetricsLogged
from dlkit.jobs.follow import Follower
from dlkit.runs.folder import RunFolder
from toy import finish, toy_attempt
from waiting import LONG

ENGINE: dict[str, Any] = {
    "epochs": 5000,
    "eval_every": "20 epochs",
    "sample_every": "never",
    "checkpoint_every": 60.0,
    "threads": 1,
}
LAYER: dict[str, Any] = {"loss": {"name": "troubled", "wait": 0.01}, "trainer": {"lr": 0.01}}


class Live(NamedTuple):
    """A run that trains, and its process."""

    run: RunFolder
    process: BaseProcess


@contextmanager
def live_run(workspace: Path, **engine: Any) -> Iterator[Live]:
    """Train until somebody ends it, at the latest this context."""
    # A server that has imported torch forks the processes: each begins in milliseconds, and is as mortal as any.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["torch", "torch._dynamo", "toy", "toy_parts", "extras_parts", "outcome"])
    process = context.Process(target=_train, args=(str(workspace), {**ENGINE, **engine}))
    process.start()
    try:
        yield Live(_begun(workspace, process), process)
    finally:
        process.kill()
        process.join()


def _train(workspace: str, engine: dict[str, Any]) -> None:
    finish(toy_attempt(Path(workspace), layer=LAYER, plugins=("extras",), **engine))


def _begun(workspace: Path, process: BaseProcess) -> RunFolder:
    """The run, once it has recorded its first steps."""
    deadline = time.monotonic() + LONG
    while time.monotonic() < deadline and process.is_alive():
        for path in (workspace / "runs").glob("[!.]*"):
            if any(isinstance(event, MetricsLogged) for event in Follower(RunFolder(path)).poll()):
                return RunFolder(path)
        time.sleep(0.02)
    raise AssertionError("the run never reported a step")
