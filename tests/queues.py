"""Queues for tests: jobs put in, a scheduler in this process, and what the folders say afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dlkit.catalog import Catalog
from dlkit.cli.main import main
from dlkit.config import Layer, resolve
from dlkit.events import Finished, Started
from dlkit.jobs.job_record import Submission
from dlkit.jobs.queue import Entry, listing
from dlkit.jobs.submit import submit
from dlkit.runs.folder import RunFolder
from dlkit.runs.own import marks_again
from workers import ENGINE, all_events

Quick = dict[str, str]


def enqueue(
    workspace: Path, layer: Mapping[str, Any], *, priority: int = 0, after: Sequence[RunFolder] = (), **engine: Any
) -> RunFolder:
    """Put a toy job of one epoch into the queue; nobody is woken."""
    catalog = Catalog.load_everything()
    layers = [Layer("test", {**layer, "engine": {**ENGINE, "epochs": 1, **engine}})]
    submission = Submission(True, priority, [run.id for run in after])
    return submit(catalog, resolve(catalog, "toy", layers), workspace, submission)


def change_job(run: RunFolder, **fields: Any) -> None:
    """Change the job table of a run that stays its workspace's own."""
    record = run.read()
    run.update(**marks_again(run.path, record, job={**record["job"], **fields}))


def troubled(launcher: Quick, **how: Any) -> dict[str, Any]:
    """A job of six steps that take ``wait`` seconds each, or go wrong."""
    return {"launcher": launcher, "loss": {"name": "troubled", **how}}


def queue(*words: str, workspace: Path) -> int:
    """``dlkit queue …`` in this process."""
    return main(["queue", *words, "--workspace", str(workspace)])


def starts(run: RunFolder) -> int:
    return sum(isinstance(event, Started) for event in all_events(run))


def span(run: RunFolder) -> tuple[float, float]:
    """When a job began to train and when it ended, in UTC seconds; it did both once."""
    (began,) = (event.time for event in all_events(run) if isinstance(event, Started))
    (ended,) = (event.time for event in all_events(run) if isinstance(event, Finished))
    return began, ended


def assert_one_by_one(runs: Sequence[RunFolder]) -> None:
    """They ran in this order, each after the end of the one before."""
    times = [moment for run in runs for moment in span(run)]
    assert times == sorted(times), [(run.id, span(run)) for run in runs]


def entries(workspace: Path) -> dict[str, Entry]:
    return {entry.id: entry for entry in listing(workspace)}
