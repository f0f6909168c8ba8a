"""Folders of images: which files are meant, and of which class."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dlkit.data.files import contents
from dlkit.data.image_files import USUAL, FolderRules, chosen, left_out
from dlkit.data.names import composed, shown
from dlkit.data.parts import subfolders
from dlkit.errors import DataError, listed


@dataclass(frozen=True)
class ImageFolder:
    """Images sorted by class: ``labels[i]`` is the index in ``classes`` of ``paths[i]``'s class; ``notes``: what was
    left out or taken together; ``root``: the folder that holds all of them."""

    classes: list[str]
    paths: list[Path]
    labels: list[int]
    notes: list[str] = field(default_factory=list)
    root: Path = Path()

    def __iter__(self) -> Iterator[tuple[Path, str]]:
        return ((path, self.classes[label]) for path, label in zip(self.paths, self.labels, strict=True))

    def __len__(self) -> int:
        return len(self.paths)


def class_folders(root: Path, classes: Sequence[str] | None = None, rules: FolderRules = USUAL) -> ImageFolder:
    """A folder per class, images in it or deeper. Classes are the folders' names, sorted.

    With ``classes`` given (those of the training split) labels are theirs, and another folder is refused. DataError if
    there is no folder per class, a class has no image, the root is missing, or folders hold folders that may be the
    classes.
    """
    found = contents(root, follow=rules.follow)
    folders = _by_class([name for name in subfolders(root) if root / name not in found.passed], root, rules)
    if not folders:
        raise DataError(f"{root}: holds no folder per class (ROOT/CLASS/image.png)")
    strange = [name for name in folders if classes is not None and name not in classes]
    if strange:
        raise DataError(f"{root}: unknown classes {', '.join(strange)}; there are: {', '.join(classes or ())}")
    notes = [*left_out(found, rules), *_spellings(folders)]
    images, beside = _sorted_by_class(root, chosen(found, rules), folders)
    if empty := [name for name, paths in images.items() if not paths]:
        suffixes = f"known suffixes: {', '.join(sorted(rules.suffixes))}"
        raise DataError("\n".join([f"{root}: no images in {', '.join(empty)} ({suffixes})", *notes]))
    if rules.strict:
        _refuse_folders_of_folders(root, images)
    if beside:
        notes.append(f"{len(beside)} images lie beside the classes' folders and are left out; the first: {beside[0]}")
    known = list(classes) if classes is not None else list(images)
    paths = [path for some in images.values() for path in some]
    return ImageFolder(known, paths, [known.index(name) for name in images for _ in images[name]], notes, root)


def _sorted_by_class(
    root: Path, files: Sequence[Path], folders: Mapping[str, Sequence[str]]
) -> tuple[dict[str, list[Path]], list[Path]]:
    """The files of each class, and those in the root itself."""
    images: dict[str, list[Path]] = {name: [] for name in folders}
    class_of = {own: name for name, names in folders.items() for own in names}
    beside: list[Path] = []
    for path in files:
        first, *deeper = path.relative_to(root).parts
        (images[class_of[first]] if deeper else beside).append(path)
    return images, beside


def _by_class(names: Sequence[str], root: Path, rules: FolderRules) -> dict[str, list[str]]:
    """Folders' names by class. DataError where names differ, but only in bytes that cannot be shown."""
    classes: dict[str, list[str]] = {}
    for name in names:
        classes.setdefault(shown(name) if rules.composed else _with_marks(name), []).append(name)
    for shared, own in classes.items():
        if len({composed(name) for name in own}) > 1:
            written = ", ".join(ascii(name.encode("utf-8", "surrogateescape")) for name in own)
            raise DataError(f"{root}: folders of different names are all shown as {shared}: {written}; rename them")
    return dict(sorted(classes.items()))


def _with_marks(name: str) -> str:
    return name if shown(name) == composed(name) else shown(name)


def _spellings(folders: Mapping[str, Sequence[str]]) -> list[str]:
    several = [name for name, own in folders.items() if len(own) > 1]
    what = "classes have folders that are spelled with different code points (é in one piece, or e and its accent)"
    return [f"{len(several)} {what} and are one class each, the first: {several[0]}; dataset.spelling = written tells "
            "them apart"] if several else []  # fmt: skip


def _refuse_folders_of_folders(root: Path, images: Mapping[str, Sequence[Path]]) -> None:
    """DataError where the folders of the classes hold folders of images, and no images: those may be the classes."""
    inner = {name: _inner(root, paths) for name, paths in images.items()}
    doubtful = [name for name, folders in inner.items() if len(folders) > 1]
    if not doubtful and not all(inner.values()):
        return
    seen = [f"{name}/{folder}" for name, folders in inner.items() for folder in sorted(folders)]
    what = f"{root}: {', '.join(map(repr, doubtful or inner))} hold no images, but {len(seen)} folders of them"
    raise DataError(
        f"{listed(what, seen)}\nif those are the classes, dataset.path is a folder further down, or the ones above are "
        "called train, val and test; dataset.doubtful = take makes a class of each folder at the top"
    )


def _inner(root: Path, paths: Sequence[Path]) -> set[str]:
    """The folders that a class's images lie in; none if some lie in the class's own."""
    # One image of its own says that a folder is a class: what lies deeper is its owner's way of keeping order.
    deeper = [path.relative_to(root).parts[1:] for path in paths]
    return set() if any(len(parts) == 1 for parts in deeper) else {parts[0] for parts in deeper}
