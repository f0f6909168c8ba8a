"""The runs of a workspace as a queue sees them: from their folders, which are the truth; only what changed is read."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from dlkit.errors import DAMAGE, RunError, in_words
from dlkit.jobs.allocate import Queued
from dlkit.jobs.job_record import job_of, need_of
from dlkit.runs.folder import FORMAT, RunFolder, current_state
from dlkit.runs.index import is_folder
from dlkit.runs.run_record import RunRecord

LIVE = ("queued", "running", "paused")
SHOWN = (*LIVE, "foreign")
"""What a list of the queue has: a foreign job waits too, for somebody who names it."""
# Time, size and inode: run.json is replaced by renaming, so that a new one has another inode even within the clock's
# resolution. 10 000 runs are 10 000 stat calls and no reads.
Signature = tuple[int, int, int]
UNKNOWN: Signature = (0, 0, 0)
"""No file's: it is read again at the next look."""


class _Known(NamedTuple):
    """A run.json as it was when it had that signature. ``damage``: why it cannot be used; its record is empty then."""

    signature: Signature
    record: RunRecord
    job: Queued | None = None
    damage: str = ""


class QueueState:
    """``refresh`` looks at every run.json's signature and reads those that are new. One that is damaged hides no other:
    ``damaged`` names it."""

    def __init__(self, workspace: Path) -> None:
        self.workspace = workspace
        self._known: dict[str, _Known] = {}
        self._names: Counter[str] = Counter()
        self._own: dict[str, tuple[tuple[Signature, ...], bool | None]] = {}

    def refresh(self) -> None:
        found = {}
        for name, signature in self._signatures():
            known = self._known.get(name)
            if known is None or not known.signature == signature != UNKNOWN:
                known = self._read(name, signature)
            found[name] = known
        self._known = found
        self._names = Counter(str(known.record.get("name") or "") for known in found.values())

    @property
    def damaged(self) -> Mapping[str, str]:
        """Runs that nobody can tell anything of, each with the reason."""
        return {name: known.damage for name, known in self._known.items() if known.damage}

    def run(self, identity: str) -> RunFolder:
        return RunFolder(self.workspace / "runs" / identity)

    def record(self, identity: str) -> RunRecord:
        """run.json as last read; empty for a run that is not there."""
        return self._known[identity].record if identity in self._known else {}

    def called(self, identity: str) -> str:
        """What people call a run, and what RUN takes for it: its name where that is the only one, else its id, with
        the name beside it."""
        name = str(self.record(identity).get("name") or "")
        if not name:
            return identity
        return name if self._names[name] == 1 else f"{identity} ({name})"

    def state(self, identity: str) -> str:
        """What is true of a run now; ``gone`` if there is none, ``damaged`` if nobody can tell."""
        known = self._known.get(identity)
        if known is None:
            return "gone"
        try:
            if known.record.get("state") == "queued" and int(known.record.get("format", 0)) <= FORMAT:
                return "foreign" if self.is_own(identity) is False else "queued"
            return "damaged" if known.damage else current_state(self.run(identity), known.record)
        except DAMAGE:
            return "damaged"

    def is_own(self, identity: str) -> bool | None:
        """``runs.own.is_own_job`` of a job that waits; its marks are looked at again when a file has changed."""
        from dlkit.runs.own import is_own_job
        from dlkit.runs.workspace import KEY

        run, known = self.run(identity), self._known[identity]
        looked = (known.signature, _signature(str(run.config)), _signature(f"{self.workspace}/{KEY}"))
        if self._own.get(identity, ((), None))[0] != looked:
            self._own[identity] = looked, is_own_job(run.path, known.record)
        return self._own[identity][1]

    def live(self) -> list[str]:
        """Ids of runs that are waiting or alive."""
        alive = (name for name, known in self._known.items() if known.record.get("state") in LIVE)
        return sorted(name for name in alive if self.state(name) in SHOWN)

    def interrupted(self) -> list[str]:
        """Ids of runs whose processes are gone without a word of how they ended."""
        alive = (name for name, known in self._known.items() if known.record.get("state") in ("running", "paused"))
        return sorted(name for name in alive if self.state(name) == "interrupted")

    def queued(self) -> list[Queued]:
        """The jobs that a scheduler is to start: no foreign ones."""
        return [known.job for name, known in self._known.items() if known.job is not None and self.is_own(name)]

    def states(self) -> dict[str, str]:
        """The states of the runs that queued jobs wait for."""
        return {name: self.state(name) for job in self.queued() for name in job.after}

    def broken_off(self) -> list[str]:
        """Ids of jobs of the queue that were killed while they gave way: they are to go on by themselves."""
        alive = (n for n, known in self._known.items() if known.record.get("state") in ("running", "paused"))
        return [n for n in alive if job_of(self.record(n)).get("queued") and self._was_leaving(n)]

    def _was_leaving(self, identity: str) -> bool:
        from dlkit.runs.giving_way import pending

        try:
            leaving = pending(self.run(identity), self.record(identity)) is not None
            return leaving and self.state(identity) == "interrupted"
        except DAMAGE:
            return False

    def _signatures(self) -> Iterator[tuple[str, Signature]]:
        try:
            entries = list(os.scandir(self.workspace / "runs"))
        except FileNotFoundError:
            return
        except OSError as error:
            raise RunError(f"{self.workspace / 'runs'} cannot be read: {error.strerror or error}") from error
        for entry in entries:
            if not entry.name.startswith(".") and is_folder(entry):  # a run that is being made has no name yet
                yield entry.name, _signature(f"{entry.path}/run.json")

    def _read(self, name: str, signature: Signature) -> _Known:
        try:
            record = self.run(name).read()
            return _Known(signature, record, _queued(name, record))
        except (
            OSError,
            MemoryError,
        ) as error:  # this may pass: no job waits for ever because a disk did not answer once
            return _Known(UNKNOWN, {}, damage=in_words(error))
        except DAMAGE as error:
            return _Known(signature, {}, damage=in_words(error))


def _signature(path: str) -> Signature:
    try:
        status = os.stat(path)  # noqa: PTH116  # a Path costs more than the call, twice a second
    except OSError:
        return UNKNOWN
    return status.st_mtime_ns, status.st_size, status.st_ino


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
    more = bool(job.get("urgent")), float(job.get("at", 0.0)), str(job.get("held", ""))
    return Queued(name, float(job["since"]), int(job["priority"]), after, need, *more)
