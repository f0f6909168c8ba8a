"""Which plugin a process was importing when it died: written before, taken away after, read by the next.

A file for each process that imports plugins, in the cache folder, which the process keeps locked; a crash leaves it
there unlocked. What a plugin was found to do then (``Verdict``) is kept until the plugin changes: a process that dies
can tell nobody, and a plugin that crashes one would crash each.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.machinery import PathFinder
from importlib.metadata import EntryPoint
from pathlib import Path
from zlib import crc32

from dlkit import __version__
from dlkit.folders import TooDeepError, cache, files_below, installation
from dlkit.json_types import JsonObject

try:
    from fcntl import LOCK_EX, LOCK_NB, flock
except ImportError:  # Windows: nothing is noted there, and nobody warned
    flock = None  # type: ignore[assignment]

_NAME = 1024
"""Bytes of a plugin's name that are noted."""
_SUFFIXES = (".py", ".so", ".pyd")


def folder() -> Path:
    return cache() / "loading" / installation()


class Journal:
    """Notes of this process; without a folder that can be written, nothing is noted.

    Opening a file, locking it, and a line for each of 17 plugins take 0.2 ms in all.
    """

    def __init__(self) -> None:
        self._file = -1
        self._path = folder() / f"{os.getpid()}-{os.urandom(4).hex()}.now"

    def importing(self, name: str) -> None:
        if self._file < 0:
            self._file = _made(self._path)
        if self._file >= 0:
            with suppress(OSError):
                os.ftruncate(self._file, 0)
                os.pwrite(self._file, name.encode("utf-8", "surrogatepass")[:_NAME], 0)

    def done(self) -> None:
        """Every import has come back."""
        if self._file >= 0:
            with suppress(OSError):
                self._path.unlink()
            self.left_behind()

    def left_behind(self) -> None:
        """One has not, and never may: the note stays for the next process, which finds it unlocked."""
        if self._file >= 0:
            os.close(self._file)
        self._file = -1
        self._path = self._path.with_name(f"{os.getpid()}-{os.urandom(4).hex()}.now")


def suspects() -> dict[str, list[Path]]:
    """The plugins that processes were importing when they died, each with its notes."""
    found: dict[str, list[Path]] = {}
    try:
        with os.scandir(folder()) as entries:
            notes = [Path(entry.path) for entry in entries if entry.name.endswith(".now")]
    except OSError:
        return found
    for note in notes:
        if (name := _unlocked(note)) is not None:
            found.setdefault(name, []).append(note)
    return found


def _made(path: Path) -> int:
    """A new file, locked; -1 where that cannot be."""
    if flock is None:
        return -1
    try:
        try:
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        flock(file, LOCK_EX | LOCK_NB)
    except OSError:
        return -1
    return file


def _unlocked(note: Path) -> str | None:
    """The name in a note whose process is gone; None: it is there, or the note is no good."""
    try:
        file = os.open(note, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        flock(file, LOCK_EX | LOCK_NB)
        name = os.read(file, _NAME).decode("utf-8", "replace")
        if not name:  # its process died before the first plugin
            note.unlink()
        return name or None
    except OSError:
        return None
    finally:
        os.close(file)


@dataclass(frozen=True)
class Verdict:
    """What a plugin was found to do, and the plugin it was found of."""

    reason: str
    stamp: str


def verdicts() -> dict[str, Verdict]:
    """What is kept, by plugin; nothing where nothing ever crashed, which is looked up in 10 µs."""
    return dict(_kept())


def _kept() -> Iterator[tuple[str, Verdict]]:
    path = folder() / "broken.json"
    with suppress(OSError, ValueError):  # a cache that may not be looked into, too
        if not path.exists():
            return
        from dlkit.bounded import read_json

        for name, said in read_json(path).items():
            if isinstance(said, dict) and isinstance(said.get("reason"), str) and isinstance(said.get("stamp"), str):
                yield name, Verdict(str(said["reason"]), str(said["stamp"]))


def keep(name: str, verdict: Verdict | None) -> None:
    """``None``: what was found holds no more. Where the folder cannot be written, the next process finds it again."""
    import json  # as rarely as a plugin crashes

    kept = {**verdicts(), name: verdict}
    document: JsonObject = {
        plugin: {"reason": said.reason, "stamp": said.stamp} for plugin, said in kept.items() if said is not None
    }
    path = folder() / "broken.json"
    with suppress(OSError):
        if not document:
            path.unlink(missing_ok=True)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_suffix(f".{os.getpid()}.new")
        new.write_text(json.dumps(document), encoding="utf-8")
        new.replace(path)


def stamp(entry: EntryPoint, version: str) -> str:
    """Changes with the plugin: its version, dlkit's, and each file of its package. Nothing of it is imported."""
    files = [f"{path}:{seen.st_size}:{seen.st_mtime_ns}" for path in _files(entry.module) if (seen := _seen(path))]
    return f"{crc32(repr([entry.value, version, __version__, sorted(files)]).encode()):08x}"


def _files(module: str) -> Iterator[Path]:
    """The files of the package that a module is in."""
    with suppress(OSError, ValueError, ImportError, AttributeError, TooDeepError):
        spec = PathFinder.find_spec(module.partition(".")[0])
        if spec is not None and spec.submodule_search_locations:
            for place in spec.submodule_search_locations:
                yield from (path for path in files_below(Path(place)) if path.suffix in _SUFFIXES)
        elif spec is not None and spec.origin:
            yield Path(spec.origin)


def _seen(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None
