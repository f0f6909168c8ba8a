"""Keeping a mirror: what another machine says is looked at, bounded, and laid where ``runs.mirrors`` has it.

What comes is anybody's: names are those of a run's files, offsets are where the copy ends, anything else ends the
connection; and nothing that is written here is ever obeyed or run.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from dlkit.bounded import DOCUMENT, RECORD, json_object, read_bytes
from dlkit.folders import remove_tree
from dlkit.remote import files
from dlkit.remote.connection import Connection
from dlkit.remote.defined import Remote
from dlkit.remote.far import checksum
from dlkit.remote.ssh import Unreachable
from dlkit.runs import mirrors, opening
from dlkit.runs.finding import among
from dlkit.runs.folder import RunFolder, Summary
from dlkit.runs.mirrored import in_order

MOST_RUNS = 50_000
MOST_ROUNDS = 64
"""Answers that bringing one copy up to date takes at most; the next time goes on."""
LOCK_SECONDS = 5.0
"""Another process that copies the same run is waited for so long: what it brings is as good."""


class Mirror:
    """The mirror of one machine, as far as this process keeps it up to date."""

    def __init__(self, remote: Remote) -> None:
        self.remote = remote
        self.place = mirrors.place(remote.name)
        self._told: dict[str, object] | None = None
        self.left_out = 0
        """Runs over there whose names no mirror has."""

    @property
    def told(self) -> dict[str, object]:
        """What was said of all runs, by id."""
        if self._told is None:
            self._check_whose()
            with suppress(OSError, ValueError):
                path = self.place / "list.json"
                self._told = dict(json_object(read_bytes(path, DOCUMENT), str(path), constants=True))
        if self._told is None:
            self._told = {}
        return self._told

    def runs(self) -> list[Summary]:
        """What is known of its runs, newest first."""
        return in_order(self.remote.name, self.told)

    def refresh(self, connection: Connection) -> bool:
        """Ask for what has changed of all runs; whether anything has. Unreachable, and nothing is lost."""
        there = self.told
        known = {run: checksum(fields) for run, fields in there.items()}
        changed = False
        for frame in connection.ask("list", most=DOCUMENT, known=known):
            if missing := frame.told.get("missing"):
                raise Unreachable(
                    f"{self.remote.name}: there is no workspace {str(missing)[:200]} there: "
                    f"dlkit train TASK --on {self.remote.name} makes it"
                )
            changed |= self._take_runs(frame.told.get("runs"))
            gone = frame.told.get("gone")
            for run in gone if isinstance(gone, list) else ():
                changed |= isinstance(run, str) and self._forget(run)
            left_out = frame.told.get("left_out")
            self.left_out = left_out if isinstance(left_out, int) else 0
        if changed or not (self.place / "list.json").exists():
            _keep(self.place / "list.json", mirrors.encoded(there))
        self._note_heard()
        return changed

    def _take_runs(self, runs: object) -> bool:
        if not isinstance(runs, dict) or not runs:
            return False
        for run, fields in runs.items():
            if not mirrors.RUN.fullmatch(run) or not isinstance(fields, dict):
                continue
            if run not in self.told and len(self.told) >= MOST_RUNS:
                raise Unreachable(f"{self.remote.name}: more than {MOST_RUNS} runs, which no list here holds")
            self.told[run] = fields
            if (self.place / "runs" / run).is_dir():
                self._tell(run, fields)
        return True

    def _forget(self, run: str) -> bool:
        """Removed over there: here, too."""
        if not mirrors.RUN.fullmatch(run):
            return False
        if (self.place / "runs" / run).is_dir():
            remove_tree(self.place / "runs" / run)
            (self.place / "told" / f"{run}.json").unlink(missing_ok=True)
        return self.told.pop(run, None) is not None

    def pull(self, connection: Connection, run: str) -> RunFolder:
        """Bring the copy of a run up to date. Unreachable."""
        folder = RunFolder(self.place / "runs" / run)
        self._check_whose()
        for inner in (folder.path, folder.samples, folder.checkpoints):
            inner.mkdir(parents=True, exist_ok=True)
        with self._locked() as mine:
            rounds = MOST_ROUNDS
            while mine and rounds and self._pull_once(connection, folder):
                rounds -= 1
        self._note_heard()
        return folder

    def _pull_once(self, connection: Connection, run: RunFolder) -> bool:
        """Whether there is more than one answer has."""
        marks = {name: files.mark(run.path, name) for name in (*files.WHOLE, *files.LOGS)}
        told: Mapping[str, object] = {}
        begun: set[str] = set()
        for frame in connection.ask("pull", run=run.id, files={name: list(mark) for name, mark in marks.items()}):
            told = frame.told
            if (name := told.get("file")) is not None:
                _lay(run, name, told.get("offset"), frame.data, begun)
        for name in begun & {*files.WHOLE}:
            opening.rename(run.path, _half(name), name)
        summary = told.get("summary")
        if isinstance(summary, dict):  # after the logs: who reads a state looks for what came before it
            self._tell(run.id, summary)
        return bool(told.get("more"))

    def _tell(self, run: str, fields: Mapping[str, object]) -> None:
        _keep(self.place / "told" / f"{run}.json", mirrors.encoded(fields))

    def fetch(self, connection: Connection, run: RunFolder, file: str) -> None:
        """Bring one sample's file. Unreachable; Refused for what is no sample's name."""
        if not file.startswith("samples/"):
            raise opening.Refused(f"{run.path / file}: not the name of a sample")
        parts, size = [], 0
        for frame in connection.ask("file", most=2 * DOCUMENT, run=run.id, file=file):
            parts.append(frame.data)
            size += len(frame.data)
            if size > DOCUMENT:
                raise Unreachable(f"{self.remote.name}: {file} of {run.id} is longer than {DOCUMENT} bytes")
        opening.write(run.path, file, b"".join(parts))

    def note_trouble(self, text: str) -> None:
        """Written down for the next command, which need not find out again."""
        with suppress(OSError):
            _keep(self.place / "trouble", text.encode("utf-8", "replace"))

    def trouble(self) -> tuple[str, float]:
        """What was the matter when it was last asked, and how many seconds ago; empty: nothing."""
        path = self.place / "trouble"
        try:
            return read_bytes(path, 1 << 16).decode("utf-8", "replace"), time.time() - path.stat().st_mtime
        except (OSError, ValueError):
            return "", 0.0

    def _note_heard(self) -> None:
        (self.place / "heard").touch()
        (self.place / "trouble").unlink(missing_ok=True)

    def _check_whose(self) -> None:
        """A mirror is of one machine and one workspace: of another it is begun anew."""
        path, told = (
            self.place / "of.json",
            f"{self.remote.host}\n{self.remote.port}\n{self.remote.workspace}\n".encode(),
        )
        with suppress(OSError, ValueError):
            if read_bytes(path, 1 << 16) == told:
                return
        if self.place.is_dir():
            remove_tree(self.place)
        _keep(path, told)

    @contextmanager
    def _locked(self) -> Iterator[bool]:
        """Two who append to one copy would double what comes; False: another did so all the time."""
        descriptor = os.open(self.place / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + LOCK_SECONDS
        try:
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        yield False
                        return
                    time.sleep(0.02)
            yield True
        finally:
            os.close(descriptor)

    def find(self, reference: str) -> str:
        """The id of the run that RUN means among those of the machine; UsageError as of ``find_run``."""
        runs = [run._replace(id=run.id.partition(":")[2]) for run in self.runs()]
        return among(runs, reference, self.remote.name)


def _keep(path: Path, data: bytes) -> None:
    """A file of a mirror, whole or not at all, and nobody's but this person's."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    opening.replace(path, data)


def _half(name: str) -> str:
    """Where a file that is copied whole is until it is whole."""
    return f".{name}.{os.getpid()}.tmp" if name != "environment.json" else f".report-{os.getpid()}.json"


def _lay(run: RunFolder, name: object, offset: object, data: bytes, begun: set[str]) -> None:
    """A part of a file behind what there is of it. Unreachable for what does not go there."""
    if name not in (*files.WHOLE, *files.LOGS) or not isinstance(name, str) or not isinstance(offset, int):
        raise Unreachable(f"what came is no file of a run: {str(name)[:80]!r}")
    target, most = (_half(name), RECORD) if name in files.WHOLE else (name, files.MOST)
    if offset == 0 and name not in begun:
        opening.write(run.path, target, b"")
    begun.add(name)
    descriptor = opening.open_file(run.path, target, opening.APPEND)
    try:
        if os.fstat(descriptor).st_size != offset or offset + len(data) > most:
            raise Unreachable(f"{run.id}: a part of {name} that does not follow what is here")
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
    finally:
        os.close(descriptor)
