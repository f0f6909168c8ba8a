"""Which files of a folder are meant."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from dlkit.errors import DataError
from dlkit.folders import DEEPEST, TooDeepError


@dataclass
class Contents:
    """What lies in a folder and below it, hidden things left out.

    files      all regular files, sorted
    followed   linked folders whose files are among them
    passed     linked folders that were not entered: they lead to what is read already, or none is to be followed
    broken     links that lead nowhere
    """

    files: list[Path] = field(default_factory=list)
    followed: list[Path] = field(default_factory=list)
    passed: list[Path] = field(default_factory=list)
    broken: list[Path] = field(default_factory=list)

    def notes(self, suffixes: Collection[str]) -> list[str]:
        """What was left out of a search for files with these suffixes, each kind with its count and its first.

        Linked folders are said where somebody expects them to be left out, or to be read.
        """
        wanted = [path for path in self.broken if not path.suffix or path.suffix.lower() in suffixes]
        lines = (
            (
                self.passed,
                "linked folders are not entered, as dataset.links says, or they lead to what is read anyway",
            ),
            (wanted, "links lead nowhere and are left out"),
        )
        said = [f"{len(paths)} {what}; the first: {paths[0]}" for paths, what in lines if paths]
        others = [path for path in self.files if path.suffix.lower() not in suffixes]
        return [*said, *_passed_over(others)]


def _passed_over(files: list[Path]) -> list[str]:
    if not files:
        return []
    counts = Counter(path.suffix.lower() or "without suffix" for path in files)
    kinds = ", ".join(f"{count} {suffix}" for suffix, count in counts.most_common(_SUFFIXES_NAMED))
    more = ", …" if len(counts) > _SUFFIXES_NAMED else ""
    return [f"{len(files)} other files are passed over ({kinds}{more}); the first: {files[0]}"]


_SUFFIXES_NAMED = 5


def contents(folder: Path, *, follow: bool = True) -> Contents:
    """The contents of a folder; linked folders are entered, unless they lead to a folder that is read anyway.

    DataError for what is no folder, cannot be read, or is nested without end.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder")
    found = Contents()
    try:
        seen = {_identity(folder)}
        # What lies here counts where it lies; links come after, so that none takes a folder's files from it.
        links = sorted(_walk(folder, 0, seen, found))
        while links:
            link = links.pop(0)
            if not follow or _identity(link) in seen:
                found.passed.append(link)
            else:
                found.followed.append(link)
                seen.add(_identity(link))
                links += sorted(_walk(link, len(link.relative_to(folder).parts), seen, found))
    except OSError as error:
        raise DataError(f"{folder}: cannot be searched: {error.strerror or error}") from error
    # A file system gives names in any order: what is said, and what is drawn from the files, must not depend on it.
    for paths in (found.files, found.followed, found.passed, found.broken):
        paths.sort()
    return found


def _walk(top: Path, depth: int, seen: set[tuple[int, int]], found: Contents) -> Iterator[Path]:
    """Take in what lies in a folder and below it; the links to folders there."""
    waiting = [(top, depth)]
    while waiting:
        place, depth = waiting.pop()
        if depth > DEEPEST:
            raise TooDeepError(f"{top}: its folders are nested more than {DEEPEST} deep")
        with os.scandir(place) as entries:
            for entry in entries:
                path = place / entry.name
                if entry.name.startswith("."):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    seen.add(_identity(path))
                    waiting.append((path, depth + 1))
                # The folder tells it: nearly all are files, and no stat is needed.
                elif entry.is_file(follow_symlinks=False):
                    found.files.append(path)
                elif path.is_dir():
                    yield path
                elif is_file(path):
                    found.files.append(path)
                elif entry.is_symlink():
                    found.broken.append(path)


def _identity(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_dev, status.st_ino


def visible_files(folder: Path, suffixes: Collection[str]) -> list[Path]:
    """The files in a folder and below it with one of these suffixes, in any case, sorted by path; hidden ones left out,
    and those in hidden folders.

    DataError for what is no folder, cannot be read, or is nested without end.
    """
    return [path for path in contents(folder).files if path.suffix.lower() in suffixes]


def is_file(path: Path) -> bool:
    """Whether there is such a file; there is none of a name that no file can have (too long, with NUL)."""
    try:
        return path.is_file()
    except OSError:
        return False


def is_folder(path: Path) -> bool:
    """Whether there is such a folder, likewise."""
    try:
        return path.is_dir()
    except OSError:
        return False
