"""Walking through folders and deleting them, whatever depth somebody gave them.

Python's own ways recurse: a thousand levels down they end in RecursionError, and the path of what lies deeper is longer
than the system takes.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from zlib import crc32

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
DEEPEST = 100
"""Levels below a folder in which anything is looked for."""


class TooDeepError(OSError):
    """Folders are nested deeper than anybody means them."""


def files_below(top: Path) -> Iterator[Path]:
    """The files in a folder and below it, in no order, hidden ones too; linked folders are not entered.

    OSError for a folder that cannot be read, and for folders more than DEEPEST levels down.
    """
    waiting = [(top, 0)]
    while waiting:
        folder, depth = waiting.pop()
        if depth > DEEPEST:
            raise TooDeepError(f"{top}: its folders are nested more than {DEEPEST} deep")
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append((folder / entry.name, depth + 1))
                elif _is_file(entry):
                    yield folder / entry.name


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # a link to itself
        return False


def cache() -> Path:
    """What is true of this machine and may be forgotten: $DLKIT_CACHE, else ``dlkit`` in $XDG_CACHE_HOME or ~/.cache.

    A person's and never a workspace's: it is about what is installed, not about runs.
    """
    chosen = os.environ.get("DLKIT_CACHE")
    return Path(chosen) if chosen else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dlkit"


def settings() -> Path:
    """What somebody has set for himself: $DLKIT_CONFIG, else ``dlkit`` in $XDG_CONFIG_HOME or ~/.config.

    A person's and never a workspace's: others may work in that, and it may come from anybody.
    """
    chosen = os.environ.get("DLKIT_CONFIG")
    return Path(chosen) if chosen else Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "dlkit"


def installation() -> str:
    """A word for this Python and what it imports from: what is kept of one says nothing of another."""
    what = "\n".join([sys.version, sys.prefix, *sys.path])
    return f"{crc32(what.encode('utf-8', 'surrogateescape')):08x}"


def has_file(folder: Path, name: str) -> bool:
    """Whether somebody names a folder with such a file in it; False too for what cannot be a folder's name."""
    try:
        return (folder / name).is_file()
    except (OSError, ValueError):  # longer than names get, or with a zero byte in it
        return False


def remove_tree(top: Path | str, dir_fd: int | None = None) -> None:
    """Delete a folder with all that is in it; links are deleted, never followed. OSError: something cannot be.

    Folders of folders are moved to the top and emptied there: two open folders do for any depth. ``dir_fd`` is the open
    folder that ``top`` is a name in, if it is one.
    """
    fd = os.open(top, _FOLDER, dir_fd=dir_fd)
    try:
        waiting = _without_files(fd)
        while waiting:
            name = waiting.pop()
            waiting += _opened_up(name, fd)
            os.rmdir(name, dir_fd=fd)
    finally:
        os.close(fd)
    os.rmdir(top, dir_fd=dir_fd)


def _without_files(fd: int) -> list[str]:
    """Delete what is no folder in an open folder; the names of the folders."""
    folders = []
    with closing(os.scandir(fd)) as entries:
        for entry in list(entries):
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.name)
            else:
                os.unlink(entry.name, dir_fd=fd)
    return folders


def _opened_up(name: str, top: int) -> list[str]:
    """Empty a folder of the open one: its folders are moved beside it, under the names returned."""
    fd = os.open(name, _FOLDER, dir_fd=top)
    try:
        moved = []
        for inner in _without_files(fd):
            moved.append(f".{os.urandom(12).hex()}")  # of no folder that is there already
            os.rename(inner, moved[-1], src_dir_fd=fd, dst_dir_fd=top)
        return moved
    finally:
        os.close(fd)
