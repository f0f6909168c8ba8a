"""Annotated images divided into train, val and test: as their folders or files say, by lists of names, or by ratio."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dlkit.bounded import read_bytes
from dlkit.data.annotations import Annotation, Found, read_annotations, read_coco
from dlkit.data.files import visible_files
from dlkit.data.parts import PARTS, drawn, held_out, named_parts
from dlkit.errors import DataError, listed

_LONGEST_LIST = 1 << 30
_LISTS = ("ImageSets/Main", ".")
"""Folders that hold ``train.txt``, ``val.txt``, ``test.txt``: VOC's own place, and the top."""


@dataclass(frozen=True)
class Division:
    """How one set becomes three, where neither folders nor files nor lists beside the images say it.

    ``lists``: part → a text file with a name a line: an image's path from the top folder, its name, or its name without
    suffix. ``val_fraction`` is taken from the training images where there is no validation part either.
    """

    lists: Mapping[str, Path] = field(default_factory=dict)
    val_fraction: float = 0.15
    test_fraction: float = 0.15
    seed: int = 0


@dataclass(frozen=True)
class Parts:
    """The annotations of each part (``train``, ``val``, maybe ``test``), problems with their files, and notes."""

    parts: dict[str, list[Annotation]]
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_parts(root: Path, division: Division) -> Parts:
    """Read annotated images and divide them. DataError if there is nothing to read, or a part would be empty.

    In this order: ``division.lists``; folders ``train``, ``val``, ``test``; COCO files of such names, in the folder or
    in ``annotations/``; lists beside the images (``ImageSets/Main/train.txt`` or ``train.txt``); the ratio.
    """
    # Lists that somebody names win over whatever lies beside the images.
    given = {} if division.lists else _separate(root)
    if given:
        problems = [problem for found in given.values() for problem in found.problems]
        read = Parts({part: found.annotations for part, found in given.items()}, problems)
    else:
        found = read_annotations(root)
        lists = dict(division.lists) or _lists(root)
        read = _by_lists(root, found, lists) if lists else _by_ratio(found, division)
    if read.parts.get("train") and "val" not in read.parts:
        count = held_out(len(read.parts["train"]), division.val_fraction)
        train, val = _drawn(read.parts["train"], count, division.seed, "val")
        read = Parts({**read.parts, "train": train, "val": val}, read.problems, read.notes)
    empty = [part for part in ("train", "val") if not read.parts.get(part)]
    if empty:
        raise DataError(_nothing(root, " and ".join(empty), read.problems))
    return read


def _nothing(root: Path, parts: str, problems: Sequence[str]) -> str:
    head = f"{root}: no usable annotated image for {parts}"
    return listed(f"{head}; {len(problems)} could not be used", problems) if problems else head


def _separate(root: Path) -> dict[str, Found]:
    """What lies in folders or COCO files of the parts' names; empty if there is none for training."""
    if not root.is_dir():
        return {}
    folders = {p.name: p for p in root.iterdir() if p.is_dir()}
    if any(_holds_annotations(folders[name]) for name in PARTS["train"] if name in folders):
        named = named_parts(root, folders.items())
        return {part: read_annotations(path) for part, path in named.items() if _holds_annotations(path)}
    files = [p for folder in (root, root / "annotations") for p in sorted(folder.glob("*.json"))]
    found = named_parts(root, ((_part_word(path), path) for path in files))
    return {part: read_coco(path) for part, path in found.items()} if "train" in found else {}


def _holds_annotations(folder: Path) -> bool:
    return any(folder.glob("*.json")) or bool(visible_files(folder, [".xml"]))


def _part_word(path: Path) -> str:
    """``instances_val2017.json`` → ``val``."""
    return path.stem.removeprefix("instances_").rstrip("0123456789").rstrip("_-").lower()


def _lists(root: Path) -> dict[str, Path]:
    """Lists beside the images, where there is one for training."""
    for place in _LISTS:
        found = named_parts(root, ((path.stem, path) for path in (root / place).glob("*.txt")))
        # A text file called "test" alone divides nothing: VOC folders have lists of other things too.
        if "train" in found:
            return found
    return {}


def _by_lists(root: Path, found: Found, lists: Mapping[str, Path]) -> Parts:
    names = _names(root, found.annotations)
    parts: dict[str, list[Annotation]] = {}
    taken: dict[Path, str] = {}
    problems = list(found.problems)
    for part, file in lists.items():
        chosen: dict[Path, Annotation] = {}
        for name in _lines(file):
            annotation = names.get(name)
            if annotation is None:
                problems.append(f"{file}: no usable annotated image {name!r}")
            # What is trained on and tested on too would make every figure of the test a lie.
            elif taken.setdefault(annotation.image, part) != part:
                raise DataError(f"{file}: {name!r} is in the {taken[annotation.image]} list too")
            else:
                chosen[annotation.image] = annotation
        parts[part] = list(chosen.values())
    left = len(found.annotations) - len(taken)
    return Parts(parts, problems, [f"{left} annotated images are in no list and left out"] if left else [])


def _names(root: Path, annotations: Sequence[Annotation]) -> dict[str, Annotation]:
    """Annotations by every name that a list may use; a name that several images share stands for none of them."""
    folder = root if root.is_dir() else root.parent
    names: dict[str, Annotation | None] = {}
    for annotation in annotations:
        image = annotation.image
        # Images may lie beside the folder (``../images``): those go by their name alone.
        path = image.relative_to(folder) if image.is_relative_to(folder) else Path(image.name)
        for name in {str(path), str(path.with_suffix("")), image.name, image.stem}:
            names[name] = None if name in names else annotation
    return {name: annotation for name, annotation in names.items() if annotation is not None}


def _lines(file: Path) -> list[str]:
    try:
        lines = read_bytes(file, _LONGEST_LIST).decode("utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise DataError(f"{file}: cannot be read: {error}") from error
    return [line.strip() for line in lines if line.strip()]


def _by_ratio(found: Found, division: Division) -> Parts:
    rest, parts = list(found.annotations), {}
    total = len(rest)  # both shares are of all that is divided
    for part, fraction in (("test", division.test_fraction), ("val", division.val_fraction)):
        if fraction and rest:
            rest, parts[part] = _drawn(rest, held_out(len(rest), fraction * total / len(rest)), division.seed, part)
    return Parts({"train": rest, **parts}, found.problems)


def _drawn(
    annotations: Sequence[Annotation], count: int, seed: int, part: str
) -> tuple[list[Annotation], list[Annotation]]:
    """(rest, chosen), each in its old order; of two annotations or more one at least is left."""
    rest, chosen = drawn(len(annotations), min(count, len(annotations) - 1), seed, part)
    return [annotations[i] for i in rest], [annotations[i] for i in chosen]
