"""Jobs for tests: handed in, worked on, waited for."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dlkit.catalog import Catalog
from dlkit.config import Layer, resolve
from dlkit.events import Event
from dlkit.jobs.detach import start_worker
from dlkit.jobs.job_record import Submission
from dlkit.jobs.submit import resubmit, submit
from dlkit.runs.folder import RunFolder, current_state, summarise
from dlkit.runs.log import parse_lines, read_events
from waiting import LONG, until

PATIENCE = LONG
ENGINE: dict[str, Any] = {
    "device": "cpu",
    "threads": 1,
    "epochs": 4,
    "eval_every": "1 epoch",
    "sample_every": "never",
    "checkpoint_every": 0.05,
}
ENDLESS = {"epochs": 100_000, "eval_every": "never"}
"""For jobs that a test ends."""


def make_job(workspace: Path, layer: Mapping[str, Any], **engine: Any) -> RunFolder:
    """A run that says ``queued`` and that no scheduler looks at; ``layer`` as in run.toml."""
    catalog = Catalog.load_everything()
    task = layer.get("task", "toy")
    sections = {key: value for key, value in layer.items() if key not in ("task", "engine")}
    layers = [Layer("test", {**sections, "engine": {**ENGINE, **layer.get("engine", {}), **engine}})]
    return submit(catalog, resolve(catalog, task, layers), workspace, Submission(queued=False))


def work(run: RunFolder) -> int:
    """Start a worker and wait; its exit code."""
    return start_worker(run).wait(PATIENCE)


def go_on(run: RunFolder, *, overrides: dict[str, Any] | None = None, **how: Any) -> int:
    """Have a run that has ended go on, to its end; the worker's exit code."""
    layer = Layer("flag", {"engine": overrides}) if overrides else None
    resubmit(Catalog.load_everything(), run, Submission(queued=False), overrides=layer, **how)
    return work(run)


def state(run: RunFolder) -> str:
    return current_state(run, run.read())


def step(run: RunFolder) -> int:
    return summarise(run).step


def until_step(run: RunFolder, count: int) -> None:
    def reached() -> bool:
        assert state(run) in ("queued", "running", "paused"), summarise(run)
        return step(run) >= count

    until(reached, f"{run.id} did not reach step {count}")


def trainer_of(run: RunFolder) -> int:
    """The process that trains and writes."""
    return int(run.read()["pid"])


def ranks_of(run: RunFolder) -> dict[int, int]:
    """The processes that train, by rank, however they were started; their output goes to the run's log."""
    writer, found = trainer_of(run), []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
            trains = b"serve" in words or (b"dlkit.jobs.rank" in words and b"--standalone" not in words)
            if trains and (folder / "fd" / "1").readlink() == run.output and alive(int(folder.name)):
                found.append(int(folder.name))
        except OSError:
            continue
    others = sorted(set(found) - {writer})
    return {0: writer, **dict(enumerate(others, 1))}


def kill(process: int, number: signal.Signals = signal.SIGKILL) -> None:
    os.kill(process, number)


def alive(process: int) -> bool:
    """Whether it runs; a zombie does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def begun(
    workspace: Path, layer: Mapping[str, Any], first: int = 5, **engine: Any
) -> tuple[RunFolder, subprocess.Popen[bytes]]:
    """A job that has trained some steps (0: it is about to), and its worker."""
    run = make_job(workspace, layer, **engine)
    worker = start_worker(run)
    until(lambda: run.events.exists() and run.events.stat().st_size)
    until_step(run, first)
    return run, worker


def events_of(run: RunFolder, kind: type[Event]) -> list[Any]:
    return [event for event in read_events(run.events) if isinstance(event, kind)]


def all_events(run: RunFolder) -> list[Event]:
    """Those too that a resume has made void."""
    raw = run.events.read_bytes() if run.events.exists() else b""
    return list(parse_lines(raw.splitlines(keepends=True)))
