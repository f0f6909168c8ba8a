"""Which runs a workspace has made itself: those that bear a mark under its key.

A run's folder is meant to be copied, mailed and downloaded, and says of itself what it likes: that it is queued, that
it wants a launcher, a thousand processes, a message to some address. So a workspace has a key, ``dlkit.key``, which
lies beside its runs and never in one. ``mark`` in run.json is a code under that key over who the run is and its
config.toml; ``mark`` in the job table is one over that and all else that a scheduler goes by. A run without a valid
mark is foreign: it starts when somebody names it, and not all that it asks of the machine is done (``runs.orders``).

The key holds for the file that it was written to: its inode is in it. A copy of a whole workspace, or one that came
with a repository, has another, so that nothing in it is its own; moved within a file system it stays what it was.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Unpack, cast

from dlkit.bounded import SETTINGS
from dlkit.runs import opening
from dlkit.runs.workspace import KEY

if TYPE_CHECKING:
    from dlkit.runs.run_record import RunRecord

KEY_BYTES = 32
FOREIGN = "not put into the queue of this workspace, or changed since: dlkit resume starts it, and says what it drops"


def workspace_of(run: Path) -> Path | None:
    """The workspace that a run's folder lies in; None of a copy elsewhere."""
    return run.parent.parent if run.parent.name == "runs" else None


def key_of(workspace: Path) -> bytes | None:
    """The workspace's key; None if there is none that holds. PermissionError if it may not be read. Creates nothing."""
    try:
        descriptor = os.open(workspace / KEY, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except PermissionError:
        raise
    except OSError:
        return None
    try:
        status = os.fstat(descriptor)
        text = os.read(descriptor, 1024).decode(errors="replace") if stat.S_ISREG(status.st_mode) else ""
    finally:
        os.close(descriptor)
    words = text.split()
    # Whoever brings a key with its runs cannot know where the file system will put it.
    if len(words) != 2 or len(words[0]) != 2 * KEY_BYTES or words[1] != str(status.st_ino):
        return None
    with suppress(ValueError):
        return bytes.fromhex(words[0])
    return None


def make_key(workspace: Path) -> bytes:
    """The workspace's key, made if there is none that holds; OSError if it cannot be read or made."""
    found = key_of(workspace)
    if found is not None:
        return found
    temporary = workspace / f".{KEY}.{os.urandom(4).hex()}.tmp"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{os.urandom(KEY_BYTES).hex()} {os.fstat(file.fileno()).st_ino}\n")
            file.flush()
            _share(file.fileno(), workspace)
            os.fsync(file.fileno())
        _publish(temporary, workspace / KEY)
    finally:
        temporary.unlink(missing_ok=True)
    made = key_of(workspace)
    if made is None:
        raise OSError(f"{workspace / KEY}: what was written there is not what is read")
    return made


def _share(descriptor: int, workspace: Path) -> None:
    """Readable by those who may put runs into the workspace, and by nobody else: who has the key makes own runs."""
    status = workspace.stat()
    with suppress(OSError):  # a group that its maker is not in
        os.fchown(descriptor, -1, status.st_gid)
    if os.fstat(descriptor).st_gid == status.st_gid:
        os.fchmod(
            descriptor, 0o600 | (0o040 if status.st_mode & 0o020 else 0) | (0o004 if status.st_mode & 0o002 else 0)
        )


def _publish(temporary: Path, path: Path) -> None:
    """Give the key its name, unless somebody else was first. One that does not hold is replaced."""
    if os.path.lexists(path) and key_of(path.parent) is None:  # a link that leads nowhere is there, too
        temporary.rename(path)
        return
    try:
        path.hardlink_to(temporary)  # as no rename, it fails where there is one
    except FileExistsError:
        return
    except OSError:  # a file system without links
        temporary.rename(path)


def own_key(run: Path) -> bytes | None:
    """The key that a run's marks are made with; None for a copy outside any workspace, and in the workspace of somebody
    who keeps his key from us. OSError if it cannot be made."""
    workspace = workspace_of(run)
    try:
        return make_key(workspace) if workspace is not None else None
    except PermissionError:
        return None


def run_mark(key: bytes, identity: str, record: RunRecord, config: bytes) -> str:
    """The mark of a run: of its id, its task and components, and its configuration."""
    told = {"id": identity, "task": record.get("task"), "components": record.get("components")}
    return _code(key, "run", told, hashlib.sha256(config).hexdigest())


def job_mark(key: bytes, identity: str, mark: str, job: Mapping[str, object]) -> str:
    """The mark of a job table: of all that is in it, and of the run that bears ``mark``."""
    return _code(key, "job", identity, mark, {name: value for name, value in job.items() if name != "mark"})


def _code(key: bytes, *parts: object) -> str:
    text = json.dumps(parts, sort_keys=True, ensure_ascii=True, default=str)
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def marked(key: bytes, identity: str, record: RunRecord, config: bytes) -> RunRecord:
    """A record with the marks that make the run the workspace's own, and the job that it may have."""
    mark = run_mark(key, identity, record, config)
    job = record.get("job")
    if not job:
        return {**record, "mark": mark}
    return {**record, "mark": mark, "job": {**job, "mark": job_mark(key, identity, mark, job)}}


def marks_again(run: Path, record: RunRecord, **changes: Unpack[RunRecord]) -> RunRecord:
    """``changes``, and the marks that ``record`` has with them; without marks where there is no key (``own_key``)."""
    key = own_key(run)
    if key is None:
        return changes
    again = marked(key, run.name, {**record, **changes}, _config(run))
    return {**changes, "mark": again["mark"], **({"job": again["job"]} if "job" in changes else {})}


def as_own_as_before(run: Path, record: RunRecord, **changes: Unpack[RunRecord]) -> RunRecord:
    """``changes`` to a job, marked again if it was the workspace's own: one that nobody named does not become so."""
    return marks_again(run, record, **changes) if is_own_job(run, record) else changes


def is_own(run: Path, record: RunRecord) -> bool | None:
    """Whether the workspace that a run lies in made it as it is; None: its key may not be read."""
    return _checked(run, record, queued=False)


def is_own_job(run: Path, record: RunRecord) -> bool | None:
    """Whether it did so, and put the run's job into the queue as it is."""
    return _checked(run, record, queued=True)


def _checked(run: Path, record: RunRecord, *, queued: bool) -> bool | None:
    workspace = workspace_of(run)
    if workspace is None:
        return False
    try:
        key = key_of(workspace)
    except PermissionError:
        return None
    if key is None:
        return False
    mark, job = record.get("mark"), record.get("job")
    if not _equal(mark, run_mark(key, run.name, record, _config(run))):
        return False
    if not queued:
        return True
    table = cast("Mapping[str, object]", job if isinstance(job, dict) else {})
    return _equal(table.get("mark"), job_mark(key, run.name, str(mark), table))


def _config(run: Path) -> bytes:
    try:
        return opening.read_bytes(run, "config.toml", SETTINGS)
    except (OSError, ValueError):
        return b""


def _equal(said: object, expected: str) -> bool:
    return isinstance(said, str) and said.isascii() and hmac.compare_digest(said, expected)
