"""Folders of images: which files are meant, and of which class."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dlkit.data.files import visible_files
from dlkit.data.images import SUFFIXES
from dlkit.errors import DataError


@dataclass(frozen=True)
class ImageFolder:
    """Images sorted by class: ``labels[i]`` is the index in ``classes`` of ``paths[i]``'s class."""

    classes: list[str]
    paths: list[Path]
    labels: list[int]

    def __iter__(self) -> Iterator[tuple[Path, str]]:
        return ((path, self.classes[label]) for path, label in zip(self.paths, self.labels, strict=True))

    def __len__(self) -> int:
        return len(self.paths)


def image_files(folder: Path) -> list[Path]:
    """The images in a folder and below it, by suffix, sorted by path; hidden ones left out."""
    # By suffix: else every file would have to be opened, and those that are not images passed over in silence.
    return visible_files(folder, SUFFIXES)


def named_images(arguments: Sequence[str]) -> list[Path]:
    """The files that somebody names, and those in the folders named; DataError for what is missing or empty."""
    found: list[Path] = []
    for path in map(Path, arguments):
        if not path.exists():
            raise DataError(f"{path}: no such file or folder")
        inside = image_files(path) if path.is_dir() else [path]
        if not inside:
            raise DataError(f"{path}: holds no images")
        found += inside
    return found


def class_folders(root: Path, classes: Sequence[str] | None = None) -> ImageFolder:
    """A folder per class, images in it or deeper. Classes are the folders' names, sorted.

    With ``classes`` given (those of the training split) labels are theirs, and another folder is refused. DataError if
    there is no folder per class, a class has no image, or the root is missing.
    """
    if not root.is_dir():
        raise DataError(f"{root}: no such folder")
    names = sorted(p.name for p in root.iterdir() if p.is_dir() and not p.name.startswith("."))
    if not names:
        raise DataError(f"{root}: holds no folder per class (ROOT/CLASS/image.png)")
    strange = [name for name in names if classes is not None and name not in classes]
    if strange:
        raise DataError(f"{root}: unknown classes {', '.join(strange)}; there are: {', '.join(classes or ())}")
    known = list(classes) if classes is not None else names
    files = {name: image_files(root / name) for name in names}
    empty = [name for name, paths in files.items() if not paths]
    if empty:
        raise DataError(f"{root}: no images in {', '.join(empty)} (known suffixes: {', '.join(sorted(SUFFIXES))})")
    paths = [path for name in names for path in files[name]]
    return ImageFolder(known, paths, [known.index(name) for name in names for _ in files[name]])
