"""A study is a folder in the workspace: study.toml has the question, log.jsonl what came of it. Readable without torch.

Reading creates nothing, and needs neither pydantic nor a plugin: a thousand trials are listed from the log alone.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import time
from pathlib import Path
from typing import NamedTuple

from dlkit.bounded import BadFile, parse_toml, read_bytes
from dlkit.errors import RunError, UsageError
from dlkit.json_types import Settings
from dlkit.runs import own
from dlkit.runs.folder import LETTERS
from dlkit.runs.lock import holder

FORMAT = 1
LARGEST = 1 << 24
"""Bytes of a study.toml that are read."""
GIVE = "give an id, its unique beginning or end, a unique name, or last"
_LAST = re.compile(r"last(?:~(\d{1,6}))?")


class StudyFolder(NamedTuple):
    """The paths of a study."""

    path: Path

    @property
    def id(self) -> str:
        return self.path.name

    @property
    def short(self) -> str:
        """The end of the id, which tells it from others: trials are named by it."""
        return self.id.rpartition("-")[2]

    @property
    def workspace(self) -> Path:
        return self.path.parent.parent

    @property
    def question(self) -> Path:
        return self.path / "study.toml"

    @property
    def log(self) -> Path:
        return self.path / "log.jsonl"

    @property
    def lock(self) -> Path:
        """Held by the process that decides what comes next."""
        return self.path / "study.lock"

    @property
    def output(self) -> Path:
        """What that process prints."""
        return self.path / "output.log"

    @property
    def mark(self) -> Path:
        return self.path / "mark"


def studies_of(workspace: Path) -> Path:
    return workspace / "studies"


def new_id(task: str) -> str:
    """As a run's: sorts by time, tells what it is, collides with none."""
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    return f"{stamp}-{task}-{''.join(secrets.choice(LETTERS) for _ in range(4))}"


def create(workspace: Path, task: str, question: str, log: bytes) -> StudyFolder:
    """Make a study's folder with its question and the beginning of its log; it appears when all is there."""
    folder = studies_of(workspace)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        study = StudyFolder(folder / new_id(task))
        hidden = StudyFolder(folder / f".{study.id}")
        hidden.path.mkdir()
        _write(hidden.question, question.encode())
        _write(hidden.log, log)
        _write(hidden.mark, mark_of(workspace, study.id, question.encode()).encode())
        hidden.path.rename(study.path)
    except OSError as error:
        raise RunError(f"cannot make a study in {workspace}: {error.strerror or error}") from error
    return study


def _write(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def mark_of(workspace: Path, identity: str, question: bytes) -> str:
    """What vouches that the workspace itself was asked this (``runs.own``); empty where its key may not be read."""
    try:
        key = own.make_key(workspace)
    except PermissionError:
        return ""
    return hmac.new(key, b"study\0" + identity.encode() + b"\0" + question, hashlib.sha256).hexdigest()


def is_own(study: StudyFolder) -> bool:
    """Whether the workspace made the study as it is: one that was brought starts nothing before somebody resumes it."""
    try:
        key = own.key_of(study.workspace)
        said, question = read_bytes(study.mark, 1 << 10).decode(errors="replace"), read_bytes(study.question, LARGEST)
    except (OSError, ValueError):
        return False
    if key is None:
        return False
    message = b"study\0" + study.id.encode() + b"\0" + question
    return hmac.compare_digest(said, hmac.new(key, message, hashlib.sha256).hexdigest()) if said.isascii() else False


def adopt(study: StudyFolder) -> None:
    """Make a study that was brought the workspace's own: somebody has asked for it by name."""
    study.mark.unlink(missing_ok=True)
    _write(study.mark, mark_of(study.workspace, study.id, read_bytes(study.question, LARGEST)).encode())


def question_of(study: StudyFolder) -> Settings:
    """study.toml; RunError names what is wrong with it, also that a newer dlkit wrote it."""
    try:
        found = parse_toml(read_bytes(study.question, LARGEST), str(study.question))
    except (OSError, BadFile) as error:
        raise RunError(f"{study.id}: {error}") from error
    made_by = found.get("format")
    if not isinstance(made_by, int) or made_by > FORMAT:
        raise RunError(f"{study.id} was written by a newer dlkit (format {made_by!r}); this one knows {FORMAT}")
    return found


def driver(study: StudyFolder) -> int | None:
    """The process that decides what comes next, if there is one."""
    return holder(study.lock)


def list_studies(workspace: Path) -> list[StudyFolder]:
    """Newest first."""
    try:
        with os.scandir(studies_of(workspace)) as entries:
            names = [e.name for e in entries if e.name[0] != "." and e.is_dir(follow_symlinks=False)]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise RunError(f"{studies_of(workspace)} cannot be read: {error.strerror or error}") from error
    return [StudyFolder(studies_of(workspace) / name) for name in sorted(names, reverse=True)]


def find_study(workspace: Path, reference: str) -> StudyFolder:
    """The study that S means (``GIVE``); UsageError names what there is."""
    there = list_studies(workspace)
    if not there:
        raise UsageError(f"there are no studies in {workspace}: dlkit study TASK --vary KEY=A,B makes one")
    if found := _LAST.fullmatch(reference):
        back = int(found[1] or 0)
        if back >= len(there):
            raise UsageError(f"last~{back}: there are {len(there)} studies, the oldest is last~{len(there) - 1}")
        return there[back]
    for matching in (
        [study for study in there if study.id == reference],
        [study for study in there if reference and _name_of(study) == reference],
        [study for study in there if reference and study.id.startswith(reference)],
        [study for study in there if reference and study.id.endswith(reference)],
    ):
        if len(matching) == 1:
            return matching[0]
        if matching:
            raise UsageError(f"{reference!r} could be any of: {', '.join(study.id for study in matching[:8])}")
    hint = f"{GIVE}; newest: {', '.join(study.id for study in there[:5])}"
    raise UsageError(f"no study {reference!r} in {workspace}: {hint}").hinting(hint)


def _name_of(study: StudyFolder) -> str:
    try:
        return str(question_of(study).get("name", ""))
    except RunError:
        return ""
