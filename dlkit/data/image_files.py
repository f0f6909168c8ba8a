"""Images that are meant: which files of a folder, and of what somebody names; no torch."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from dlkit.data.files import Contents, contents
from dlkit.data.images import SUFFIXES, unreadable_suffixes
from dlkit.errors import DataError


@dataclass(frozen=True)
class FolderRules:
    """Which files of a folder are images, and what its folders are called.

    follow    enter linked folders
    suffixes  of images
    composed  names of classes are in Unicode's composed form: two spellings of one name are one class
    strict    refuse folders that may be meant otherwise
    """

    follow: bool = True
    suffixes: Collection[str] = SUFFIXES
    composed: bool = True
    strict: bool = True


USUAL = FolderRules()


def image_files(folder: Path, rules: FolderRules = USUAL) -> list[Path]:
    """The images in a folder and below it, by suffix, sorted by path; hidden ones left out."""
    return found_images(folder, rules)[0]


def found_images(folder: Path, rules: FolderRules = USUAL) -> tuple[list[Path], list[str]]:
    """The same, and notes of what was left out."""
    found = contents(folder, follow=rules.follow)
    return chosen(found, rules), left_out(found, rules)


def chosen(found: Contents, rules: FolderRules) -> list[Path]:
    # By suffix: else every file would have to be opened, and those that are not images passed over in silence.
    readable = set(rules.suffixes) - unreadable_suffixes()
    return [path for path in found.files if path.suffix.lower() in readable]


def left_out(found: Contents, rules: FolderRules) -> list[str]:
    notes = found.notes(set(rules.suffixes) - unreadable_suffixes())
    lacking = [path for path in found.files if path.suffix.lower() in unreadable_suffixes()]
    if lacking:
        notes.append(f"{len(lacking)} of these are images that nothing installed here decodes: pillow-heif does HEIC")
    return notes


def named_images(arguments: Sequence[str]) -> tuple[list[Path], list[str]]:
    """The files that somebody names, and those in the folders named, and notes of what was left out of the folders;
    DataError for what is missing or empty."""
    named: list[Path] = []
    notes: list[str] = []
    for path in map(Path, arguments):
        if not path.exists():
            raise DataError(f"{path}: no such file or folder")
        inside, said = found_images(path) if path.is_dir() else ([path], [])
        if not inside:
            raise DataError("\n".join([f"{path}: holds no images", *said]))
        named, notes = named + inside, notes + said
    return named, notes
