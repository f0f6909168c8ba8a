"""The runs of a workspace as a queue sees them: from their folders, which are the truth; only what changed is read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from dlkit.jobs.allocate import Queued
from dlkit.jobs.job_record import job_of, need_of
from dlkit.runs.folder import FORMAT, RunFolder, current_state
from dlkit.runs.run_record import RunRecord

LIVE = ("queued", "running", "paused")


class QueueState:
    """``refresh`` looks at every run.json's signature and reads those that are new."""

    def __init__(self, workspace: Path) -> None:
        self.workspace = workspace
        self._known: dict[str, tuple[tuple[int, int, int], RunRecord]] = {}

    def refresh(self) -> None:
        found = {}
        for name, signature in self._signatures():
            known = self._known.get(name)
            record = known[1] if known is not None and known[0] == signature else self._read(name)
            if record is not None:
                # time, size and inode: run.json is replaced by renaming, so that a new one has another inode even
                # within the clock's resolution. 10 000 runs are 10 000 stat calls and no reads.
                found[name] = signature, record
        self._known = found

    def run(self, identity: str) -> RunFolder:
        return RunFolder(self.workspace / "runs" / identity)

    def record(self, identity: str) -> RunRecord:
        """run.json as last read; empty for a run that is not there."""
        return self._known[identity][1] if identity in self._known else {}

    def state(self, identity: str) -> str:
        """What is true of a run now; ``gone`` if there is none."""
        record = self.record(identity)
        return current_state(self.run(identity), record) if record else "gone"

    def live(self) -> list[str]:
        """Ids of runs that are waiting or alive."""
        return sorted(n for n, (_, r) in self._known.items() if r.get("state") in LIVE and self.state(n) in LIVE)

    def queued(self) -> list[Queued]:
        """The jobs that a scheduler is to start."""
        found = [_queued(name, record) for name, (_, record) in self._known.items()]
        return [job for job in found if job is not None]

    def states(self) -> dict[str, str]:
        """The states of the runs that queued jobs wait for."""
        return {name: self.state(name) for job in self.queued() for name in job.after}

    def _signatures(self) -> Iterator[tuple[str, tuple[int, int, int]]]:
        try:
            entries = list(os.scandir(self.workspace / "runs"))
        except FileNotFoundError:
            return
        for entry in entries:
            if not entry.name.startswith("."):  # a run that is being made has no name yet
                try:
                    status = (Path(entry.path) / "run.json").stat()
                except OSError:
                    continue
                yield entry.name, (status.st_mtime_ns, status.st_size, status.st_ino)

    def _read(self, name: str) -> RunRecord | None:
        try:
            record = self.run(name).read()
            _queued(name, record)
            return record
        except (OSError, ValueError, TypeError, KeyError, AttributeError):  # damaged: `runs` shows it
            return None


def _queued(name: str, record: RunRecord) -> Queued | None:
    """A run as a job that a scheduler is to start, if it is one; raises any error if it cannot be understood."""
    job = job_of(record)
    waits = bool(job.get("queued")) and record.get("state") == "queued"
    if int(record.get("format", 0)) > FORMAT or not waits:
        return None
    need, after = need_of(job), tuple(job["after"])
    int(need.device.partition(":")[2] or 0)
    if not all(isinstance(other, str) for other in after) or not isinstance(need.gpu_memory, int | None):
        raise TypeError(f"{name}: not a job as `submit` writes it")
    return Queued(name, float(job["since"]), int(job["priority"]), after, need)
