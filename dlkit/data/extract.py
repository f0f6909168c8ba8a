"""Unpacking archives that may be hostile: tar (plain, gz, bz2, xz), zip, and single gzipped files.

Only regular files and folders come out, below the target and nowhere else. Links, devices, absolute paths, ``..``,
names with NUL or backslash, and duplicates are refused; count, depth, total size and compression ratio are capped,
counted while unpacking. All goes into a temporary folder beside the target, renamed at the end: on failure nothing is
left.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import struct
import tempfile
import zlib
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import IO, cast

from dlkit.data.tar import Member, Readable, read_tar
from dlkit.data.zip import read_zip
from dlkit.errors import DataError
from dlkit.folders import remove_tree

_CHUNK = 1 << 20
_LONGEST_NAME = 4096
_DAMAGE = (
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,  # gzip's and bz2's word for damage
    ValueError,
    struct.error,
    OverflowError,
    MemoryError,  # xz: a dictionary as large as its header says
)
"""All that the standard library's readers raise on damaged input."""


@dataclass(frozen=True)
class Limits:
    """What an archive may unpack to. The ratio (bytes out to bytes in) counts beyond ``slack`` bytes only; ``depth`` is
    how many folders a member may lie in."""

    members: int = 2_000_000
    depth: int = 64
    size: int = 256 << 30
    ratio: int = 200
    slack: int = 16 << 20


Members = Generator[Member, None, None]


class _Budget:
    """Counts the bytes that come out of an archive."""

    def __init__(self, archive: Path, limits: Limits) -> None:
        by_ratio = max(limits.slack, limits.ratio * archive.stat().st_size)
        self.left = min(limits.size, by_ratio)
        self._reason = (
            f"unpacks to more than {limits.size} bytes"
            if limits.size <= by_ratio
            else f"unpacks to more than {limits.ratio} times its size"
        )

    def reader(self, stream: Readable) -> Readable:
        return _Counted(stream, self)

    def spend(self, count: int) -> None:
        self.left -= count
        if self.left < 0:
            raise DataError(self._reason)


@dataclass
class _Counted:
    stream: Readable
    budget: _Budget

    def read(self, size: int, /) -> bytes:
        chunk = self.stream.read(size)
        self.budget.spend(len(chunk))
        return chunk


def _tar(archive: Path, budget: _Budget, name: str) -> Members:
    with _decompressed(archive, name) as raw:
        stream = budget.reader(raw)
        yield from read_tar(stream)
        while stream.read(_CHUNK):  # to the end, where the compressor's checksum is
            pass


def _decompressed(archive: Path, name: str) -> AbstractContextManager[Readable]:
    for endings, opened in (((".gz", ".tgz"), gzip.open), ((".bz2", ".tbz2"), bz2.open), ((".xz", ".txz"), lzma.open)):
        if name.endswith(endings):
            return cast(IO[bytes], opened(archive, "rb"))
    return archive.open("rb")


def _gzip(archive: Path, budget: _Budget, name: str) -> Members:
    if archive.stat().st_size == 0:  # to the gzip module, nothing at all is a sound file
        raise EOFError("it is empty")
    with gzip.open(archive, "rb") as raw:
        yield Member(archive.name[: -len(".gz")], "file", budget.reader(raw))


def _zip(archive: Path, budget: _Budget, name: str) -> Members:
    with archive.open("rb") as file:
        for member in read_zip(file):
            yield replace(member, content=budget.reader(member.content))


_READERS: dict[tuple[str, ...], Callable[[Path, _Budget, str], Members]] = {
    (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz"): _tar,
    (".zip",): _zip,
    (".gz",): _gzip,
}


def extract(archive: Path, target: Path, limits: Limits | None = None) -> None:
    """Unpack ``archive`` (its kind is in its name) as the new folder ``target``.

    DataError names archive, member and reason; then ``target`` does not exist.
    """
    if target.exists():
        raise DataError(f"{archive}: cannot be unpacked to {target}: that exists")
    try:
        temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        try:
            tree = temporary / target.name
            tree.mkdir()
            _unpack(archive, tree, limits or Limits())
            tree.rename(target)
        finally:
            with suppress(OSError):
                remove_tree(temporary)
    except OSError as error:
        raise DataError(f"{archive}: cannot be unpacked to {target}: {error}") from error


def _unpack(archive: Path, tree: Path, limits: Limits) -> None:
    name = archive.name.lower()
    reader = next((reader for endings, reader in _READERS.items() if name.endswith(endings)), None)
    if reader is None:
        known = ", ".join(ending for endings in _READERS for ending in endings)
        raise DataError(f"{archive}: not a kind of archive that can be unpacked; those are: {known}")
    place = _Place(tree, limits)
    try:
        with closing(reader(archive, _Budget(archive, limits), name)) as members:
            for member in members:
                place.add(member)
    except DataError as error:
        raise DataError(f"{archive}{place.where}: {error}") from error
    except _DAMAGE as error:
        raise DataError(f"{archive}{place.where}: cannot be read: {str(error) or type(error).__name__}") from error


class _Place:
    """Where members are put."""

    def __init__(self, tree: Path, limits: Limits) -> None:
        self._tree, self._limits = tree.resolve(), limits
        self._count = 0
        self.where = ""

    def add(self, member: Member) -> None:
        self.where = f", member {member.name[:200]!r}"
        self._count += 1
        if self._count > self._limits.members:
            raise DataError(f"it has more than {self._limits.members} members")
        if member.kind not in ("file", "folder"):
            raise DataError(f"it is {member.kind}; only regular files and folders are unpacked")
        relative = _relative(member.name)
        if len(relative.parts) > self._limits.depth + 1:
            raise DataError(f"it lies in more than {self._limits.depth} folders")
        path = self._tree / relative
        if not path.resolve().is_relative_to(self._tree):
            raise DataError("it would lie outside the target")
        if member.kind == "folder":
            self._make(path)
        elif path == self._tree:
            raise DataError("a file without a name")
        else:
            self._make(path.parent)
            self._write(path, member.content)

    def _make(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise DataError("a file of that name was unpacked before it") from error
        except OSError as error:
            raise DataError(f"cannot be made: {error.strerror}") from error

    def _write(self, path: Path, content: Readable) -> None:
        try:
            file = path.open("xb", buffering=0)
        except (FileExistsError, IsADirectoryError) as error:
            raise DataError("it occurs twice") from error
        except OSError as error:
            raise DataError(f"cannot be made: {error.strerror}") from error
        with file:
            while chunk := content.read(_CHUNK):
                write_all(file, chunk)


def write_all(file: IO[bytes], chunk: bytes) -> None:
    """Write to an unbuffered file, which may take less than it is given; DataError if it cannot (disk full)."""
    rest = memoryview(chunk)
    while rest:
        try:
            rest = rest[file.write(rest) :]
        except OSError as error:
            raise DataError(f"{file.name}: cannot be written: {error.strerror}") from error


def _relative(name: str) -> PurePosixPath:
    """A member's name as a path below the target; DataError if it is not meant to be one."""
    # The longest path that Linux takes: of a longer one not even the folders are counted.
    if len(name) > _LONGEST_NAME:
        raise DataError(f"a name of {len(name)} characters (at most {_LONGEST_NAME})")
    if "\0" in name or "\\" in name:
        raise DataError("a name with NUL or backslash")
    if name.startswith("/"):
        raise DataError("an absolute path")
    path = PurePosixPath(name)
    if ".." in path.parts:
        raise DataError("a path with '..'")
    return path
