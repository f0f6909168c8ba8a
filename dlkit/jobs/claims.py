"""Who uses which device: claims of live processes, outside any workspace, so that all of a user's jobs see each other.

A claim is a file that its process holds a POSIX lock on: it ends with the process, however that ends. What nobody
holds is dead; readers pass over it, the next who claims removes it.
"""

from __future__ import annotations

import fcntl
import json
import os
import stat
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from dlkit.bounded import read_json
from dlkit.errors import RunError
from dlkit.runs.lock import RunLock, holder


class Claim(NamedTuple):
    """``devices`` are ``cpu``, ``mps`` or UUIDs of GPUs; ``memory`` is declared bytes on each GPU, or None.

    ``queued``: the job came from a queue; ``since`` in UTC seconds.
    """

    devices: tuple[str, ...]
    run: str
    workspace: str
    pid: int
    memory: int | None
    since: float
    queued: bool


class Refused(Exception):  # nothing went wrong: the device is taken
    """The device cannot be had now; the text says why."""


def folder() -> Path:
    """Where claims lie: $DLKIT_DEVICES, else in $XDG_RUNTIME_DIR, else in a folder of the user's own in /tmp."""
    chosen, runtime = os.environ.get("DLKIT_DEVICES"), os.environ.get("XDG_RUNTIME_DIR")
    if chosen:
        return Path(chosen).absolute()
    if runtime and Path(runtime).is_dir() and os.access(runtime, os.W_OK | os.X_OK):
        return Path(runtime) / "dlkit" / "devices"
    return Path(tempfile.gettempdir()) / f"dlkit-{os.getuid()}" / "devices"


def claims() -> list[Claim]:
    """The claims of processes that are alive, the oldest first; acquires and creates nothing.

    None in a folder that somebody else made: whoever wrote there could keep our jobs waiting.
    """
    if not all(_is_ours(path) for path in _own_folders()):
        return []
    with _threads:
        found = [_read(path) for path in folder().glob("*.json") if holder(path) is not None]
    return sorted((claim for claim in found if claim is not None), key=lambda claim: (claim.since, claim.pid))


@contextmanager
def hold(
    devices: Sequence[str],
    *,
    run: str,
    workspace: Path,
    memory: int | None = None,
    queued: bool = False,
    admit: Callable[[list[Claim]], str] | None = None,
) -> Iterator[list[Claim]]:
    """Claim devices while entered; gives the other claims on them.

    ``admit`` looks at all live claims, nobody else deciding meanwhile; what it returns, if anything, is why the claim
    is Refused. RunError if the folder of claims belongs to somebody else.
    """
    path = _safe_folder() / f"{os.getpid()}-{os.urandom(4).hex()}.json"
    claim = Claim(tuple(devices), run, str(workspace.resolve()), os.getpid(), memory, time.time(), queued)
    lock = RunLock(path)  # of the process, so that the claim ends with it however it ends: kill -9 cleans up
    with _threads, _mutex(path.parent):
        there = _living(path.parent)
        if admit is not None and (reason := admit(there)):
            raise Refused(reason)
        path.write_text(json.dumps(claim._asdict()), encoding="utf-8")  # before the lock: closing a file drops it
        lock.__enter__()
        _own[path.name] = claim
    try:
        yield [other for other in there if set(other.devices) & set(devices)]
    finally:
        with _threads:
            path.unlink(missing_ok=True)  # before the lock is let go: nobody finds it unheld and wonders
            del _own[path.name]
            lock.__exit__()


_own: dict[str, Claim] = {}
"""The claims of this process by their files' names: opening and closing the files would drop the locks."""

_threads = threading.RLock()
"""Between threads of one process, whom record locks do not keep apart: one that reads would drop another's lock."""


def _living(folder: Path) -> list[Claim]:
    """The live claims; what is dead is removed. Under the mutex: nobody is about to lock what he has just written."""
    for path in folder.glob("*.json"):
        if holder(path) is None:
            path.unlink(missing_ok=True)
    return claims()


def _read(path: Path) -> Claim | None:
    """A claim; None if it has just gone, or is of a form that this version does not know."""
    if path.name in _own:
        return _own[path.name]
    try:
        return _understood(read_json(path))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _understood(fields: Mapping[str, Any]) -> Claim:
    """KeyError, TypeError, ValueError: not a claim as ``hold`` writes it."""
    found = Claim(**{**{key: fields[key] for key in Claim._fields}, "devices": tuple(fields["devices"])})
    texts, memory = (*found.devices, found.run, found.workspace), found.memory
    if not all(isinstance(text, str) for text in texts) or not isinstance(memory, int | None):
        raise TypeError("not a claim")
    return found._replace(pid=int(found.pid), since=float(found.since))


def _safe_folder() -> Path:
    """The folder, made if need be, for its owner alone."""
    for path in _own_folders():
        try:
            with suppress(FileExistsError):
                path.mkdir(mode=0o700, parents=True)
        except OSError as error:
            raise RunError(f"devices cannot be claimed in {path}: {error.strerror} (see $DLKIT_DEVICES)") from error
        if not _is_ours(path):
            raise RunError(f"{path} is not a folder of yours: devices cannot be claimed there (see $DLKIT_DEVICES)")
    return folder()


def _own_folders() -> tuple[Path, ...]:
    """What must be this user's own; what a chosen folder lies in is the chooser's affair."""
    found = folder()
    return (found,) if os.environ.get("DLKIT_DEVICES") else (found.parent, found)


def _is_ours(path: Path) -> bool:
    """Whether it is a folder, no link to one, and belongs to this user: everybody may write in /tmp."""
    try:
        status = path.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid()


@contextmanager
def _mutex(folder: Path) -> Iterator[None]:
    """One decision at a time; held for milliseconds, and gone with the process."""
    descriptor = os.open(folder / ".mutex", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
