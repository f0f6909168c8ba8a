"""Opens, makes and removes whatever lies in a run's folder: nothing else does.

A folder that somebody sent may hold links: to a file that a shell executes, to a folder elsewhere, to a device that
never ends. Each function takes the run's folder and a name in it, goes there by descriptors, follows no link, neither
the run's own nor one inside, and works on regular files and real folders alone. ``Refused`` names what is neither, and
names that no run has; where the folder lies is its owner's affair, so that links above it are followed.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from dlkit.bounded import FLAGS, RECORD, SETTINGS, BadFile, contents, json_object, kind, parse_toml
from dlkit.errors import RunError
from dlkit.folders import remove_tree
from dlkit.runs.faults import point

if TYPE_CHECKING:  # every command reads a file here, and none needs the names of types for it
    from dlkit.json_types import JsonObject

_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0) | _NOFOLLOW
APPEND = os.O_RDWR | os.O_CREAT | os.O_APPEND
# Names often come from what a folder says of itself (a manifest's files, a sample's event), and may lead anywhere.
_NAMES = (
    r"run\.json|config\.toml|environment\.json|profile\.json|trace\.json\.gz|output\.log|run\.lock|(init|frozen)\.safetensors"
    r"|(events|commands|evaluations|past|labels|reproductions)\.jsonl"
    r"|\.frozen\.safetensors\.tmp|\.reserve|\.report-\d+\.json|\.(run\.json|config\.toml)\.\d+\.tmp"
    r"|samples(/[^/\0.][^/\0]*\.(json|png))?"
    r"|checkpoints(/\.?step-\d{8,20}(\.tmp|\.old\.tmp)?(/[A-Za-z0-9_][\w.-]*)?)?"
)


class Refused(RunError, OSError):
    """What lies there is not what a run has there, and is not touched. An OSError too: no file can be opened."""


class Damaged(RunError, BadFile):
    """What a file of a run holds cannot be used. A ValueError too: whoever reads what others wrote expects one."""


def open_file(run: Path, name: str, flags: int = os.O_RDONLY) -> int:
    """A regular file's descriptor; a file that is made gets the rights that the umask leaves."""
    with _inside(run, name) as (folder, last):
        return _open(folder, last, flags, run / name)


def read_bytes(run: Path, name: str, limit: int) -> bytes:
    """All of a file; Damaged if that is more than ``limit`` bytes."""
    descriptor = open_file(run, name)
    try:
        return contents(descriptor, str(run / name), limit)
    except BadFile as error:
        raise Damaged(str(error)) from error
    finally:
        os.close(descriptor)


def read_json(run: Path, name: str, limit: int = RECORD, *, constants: bool = False) -> JsonObject:
    """A file that holds a JSON object; Damaged names it if it does not. ``constants`` as for ``parse_json``."""
    data = read_bytes(run, name, limit)
    try:
        return json_object(data, str(run / name), constants=constants)
    except BadFile as error:
        raise Damaged(str(error)) from error


def read_toml(run: Path, name: str) -> JsonObject:
    """A TOML file; Damaged names it, and the line of a syntax error."""
    data = read_bytes(run, name, SETTINGS)
    try:
        return parse_toml(data, str(run / name))
    except BadFile as error:
        raise Damaged(str(error)) from error


def append(run: Path, name: str, line: bytes) -> None:
    """A line in one write, after a line end where somebody before was cut short; the file is made if need be."""
    descriptor = open_file(run, name, APPEND)
    try:
        size = os.fstat(descriptor).st_size
        torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        whole = b"\n" + line if torn else line
        if os.write(descriptor, whole) < len(whole):  # a full disk takes a part, and whoever comes next ends the line
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(run / name))
    finally:
        os.close(descriptor)


def write(run: Path, name: str, data: bytes, *, durable: bool = False) -> None:
    """A new file in place of whatever was there; on disk when this returns, if it is to be ``durable``."""
    with _inside(run, name) as (folder, last):
        _unlink(folder, last)
        _write(folder, last, data, run / name, durable=durable)


def replace(path: Path, data: bytes) -> None:
    """A file's new contents at once, on disk when this returns: no reader, and no power cut, meets half of them.

    The file need not be a run's; the folder it is in must be a real one.
    """
    # In the same folder: only within a file system does a rename replace a file at once.
    temporary = f".{path.name}.{os.getpid()}.tmp"
    folder = _open_folder(path.parent)
    try:
        _unlink(folder, temporary)
        _write(folder, temporary, data, path, durable=True)
        point("record.written")
        os.rename(temporary, path.name, src_dir_fd=folder, dst_dir_fd=folder)
        point("record.replaced")
        os.fsync(folder)  # the name is an entry of the folder, and lost with it until that is on disk
    except BaseException:  # Ctrl-C as well: nothing half-made stays behind
        _unlink(folder, temporary)
        raise
    finally:
        os.close(folder)


def status(run: Path, name: str) -> os.stat_result | None:
    """What there is under a name, a link itself and not what it leads to; None if there is nothing."""
    try:
        with _inside(run, name) as (folder, last):
            return os.stat(last, dir_fd=folder, follow_symlinks=False)
    except OSError:
        return None


def size(run: Path, name: str) -> int:
    """A file's bytes; 0 of one that is not there or is no regular file."""
    found = status(run, name)
    return found.st_size if found is not None and stat.S_ISREG(found.st_mode) else 0


def statuses(run: Path, name: str) -> dict[str, os.stat_result]:
    """Everything in a folder, as ``status`` has it; nothing if it is not there, or not a real one."""
    try:
        with _opened(run, name) as folder:
            there = os.listdir(folder)  # noqa: PTH208  # a descriptor has no Path
            return {inner: os.stat(inner, dir_fd=folder, follow_symlinks=False) for inner in there}
    except OSError:
        return {}


def names(run: Path, name: str) -> list[str]:
    """What a folder holds, sorted; nothing if it is not there, or not a real one."""
    try:
        with _opened(run, name) as folder:
            return sorted(os.listdir(folder))  # noqa: PTH208  # a descriptor has no Path
    except OSError:
        return []


def make_folder(run: Path, name: str) -> None:
    """A folder, unless it is there."""
    with _inside(run, name) as (folder, last):
        with suppress(FileExistsError):
            os.mkdir(last, dir_fd=folder)
        os.close(_descend(folder, last, run / name))


def rename(run: Path, old: str, new: str) -> None:
    """Give a file or folder another name, in place of what has it."""
    with _inside(run, old) as (source, last), _inside(run, new) as (target, other):
        os.rename(last, other, src_dir_fd=source, dst_dir_fd=target)


def sync_folder(run: Path, name: str) -> None:
    """Make names in a folder durable."""
    with _opened(run, name) as folder:
        os.fsync(folder)


def remove(run: Path, name: str) -> None:
    """A file, a link itself, or a folder with all it holds, of whatever name; nothing if it is not there.

    OSError: it stays.
    """
    with suppress(FileNotFoundError), _inside(run, name, known=False) as (folder, last):
        _remove(folder, last)


def remove_beside(path: Path) -> None:
    """The same of what is in any folder: a whole run in its workspace, say."""
    folder = _open_folder(path.parent)
    try:
        _remove(folder, path.name)
    finally:
        os.close(folder)


def _remove(folder: int, name: str) -> None:
    if stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
        remove_tree(name, dir_fd=folder)
    else:
        os.unlink(name, dir_fd=folder)


@contextmanager
def through_folder(run: Path, name: str) -> Iterator[str]:
    """A path to write a file of a run by, for libraries that take nothing else; it is on disk afterwards.

    The library may replace what is there by a file of its own, whose rights are made those that the umask leaves.
    """
    with _inside(run, name) as (folder, last):
        _unlink(folder, last)
        descriptor = _open(folder, last, os.O_WRONLY | os.O_CREAT | os.O_EXCL, run / name)
        rights = stat.S_IMODE(os.fstat(descriptor).st_mode)
        os.close(descriptor)
        beside = Path(f"/proc/self/fd/{folder}")
        # Elsewhere than on Linux a descriptor of a folder has no path: the folder is a real one, and the name ours.
        yield str(beside / last if beside.is_dir() else run / name)
        descriptor = _open(folder, last, os.O_RDONLY, run / name)
        try:
            os.fchmod(descriptor, rights)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def through_file(run: Path, name: str) -> Iterator[str]:
    """A path to read a file of a run by, for libraries that take nothing else."""
    descriptor = open_file(run, name)
    try:
        own = Path(f"/proc/self/fd/{descriptor}")
        yield str(own) if own.exists() else f"/dev/fd/{descriptor}"
    finally:
        os.close(descriptor)


def open_beside(path: Path, flags: int) -> int:
    """A regular file in a real folder, neither of them through a link: what is locked need not be a run's."""
    folder = _open_folder(path.parent)
    try:
        return _open(folder, path.name, flags, path)
    finally:
        os.close(folder)


@contextmanager
def _inside(run: Path, name: str, *, known: bool = True) -> Iterator[tuple[int, str]]:
    """The folder that a name is in, open, and the last part of the name, which is a ``known`` one."""
    *folders, last = parts = name.split("/")
    if not (re.fullmatch(_NAMES, name) if known else {"", ".", ".."}.isdisjoint(parts)):
        raise Refused(f"{run / name}: not the name of anything in a run's folder")
    descriptor = _open_folder(run)
    try:
        where = run
        for part in folders:
            where /= part
            inner = _descend(descriptor, part, where)
            os.close(descriptor)
            descriptor = inner
        yield descriptor, last
    finally:
        os.close(descriptor)


@contextmanager
def _opened(run: Path, name: str) -> Iterator[int]:
    """A folder of a run, open."""
    if name == ".":
        folder = _open_folder(run)
    else:
        with _inside(run, name) as (outer, last):
            folder = _descend(outer, last, run / name)
    try:
        yield folder
    finally:
        os.close(folder)


def _open_folder(run: Path) -> int:
    try:
        return os.open(run, _FOLDER)
    except OSError as error:
        if run.is_symlink():
            raise Refused(f"{run}: a link to {run.readlink()}, which is not followed: name that folder") from error
        raise _told(error, run) from error


def _descend(folder: int, name: str, path: Path) -> int:
    try:
        return os.open(name, _FOLDER, dir_fd=folder)
    except OSError as error:
        raise _explained(error, folder, name, path, "folder") from error


def _open(folder: int, name: str, flags: int, path: Path) -> int:
    try:
        descriptor = os.open(name, flags | FLAGS | _NOFOLLOW, 0o666, dir_fd=folder)
    except OSError as error:
        raise _explained(error, folder, name, path, "regular file") from error
    if not stat.S_ISREG(mode := os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Refused(f"{path}: {kind(mode)}, not a regular file")
    return descriptor


def _explained(error: OSError, folder: int, name: str, path: Path, expected: str) -> OSError:
    """The same with the whole path; Refused if what is there is not what a run has there."""
    with suppress(OSError):
        found = kind(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
        if found != f"a {expected}":
            return Refused(f"{path}: {found}, not a {expected}")
    return _told(error, path)


def _told(error: OSError, path: Path) -> OSError:
    """The same with the whole path; Refused where somebody else's rights are in the way."""
    if isinstance(error, PermissionError):
        return Refused(f"{path}: {error.strerror}")
    return OSError(error.errno, error.strerror, str(path))


def _unlink(folder: int, name: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)


def _write(folder: int, name: str, data: bytes, path: Path, *, durable: bool) -> None:
    descriptor = _open(folder, name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, path)
    try:
        rest = memoryview(data)
        while rest:  # a full disk takes a part before it refuses
            rest = rest[os.write(descriptor, rest) :]
        if durable:
            os.fsync(descriptor)  # else a power cut may leave the new name with nothing in it
    finally:
        os.close(descriptor)
