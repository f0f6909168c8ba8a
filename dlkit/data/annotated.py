"""Annotated images divided into train, val and test: as their folders or files say, by lists of names, or by ratio."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dlkit.data.annotations.coco import read_coco
from dlkit.data.annotations.reading import holds_annotations, read_annotations
from dlkit.data.annotations.record import Annotation, Found, noted
from dlkit.data.annotations.yolo_parts import yolo_parts
from dlkit.data.division import by_lists, divided, names_of, path_names
from dlkit.data.image_division import image_groups
from dlkit.data.images import SUFFIXES
from dlkit.data.options import ImageDivision
from dlkit.data.parts import drawn, held_out, named_parts, part_of, parts_note, refuse_hidden_parts, subfolders
from dlkit.data.text.corpus import AUTO
from dlkit.errors import DataError, listed

_LISTS = ("ImageSets/Main", ".")
"""Folders that hold ``train.txt``, ``val.txt``, ``test.txt``: VOC's own place, and the top."""


@dataclass(frozen=True)
class Division:
    """How one set becomes three, where neither folders nor files nor lists beside the images say it.

    ``lists``: part → a text file with a name a line: an image's path from the top folder, its name, or its name without
    suffix. ``group``: which images stay in one part, where shares are drawn. ``val_fraction`` is taken from the
    training images where there is no validation part either.
    """

    lists: Mapping[str, Path] = field(default_factory=dict)
    val_fraction: float = 0.15
    test_fraction: float = 0.15
    seed: int = 0
    group: ImageDivision = field(default_factory=ImageDivision)


@dataclass(frozen=True)
class Parts:
    """The annotations of each part (``train``, ``val``, maybe ``test``), problems with their files, and notes."""

    parts: dict[str, list[Annotation]]
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_parts(root: Path, division: Division, encoding: str = AUTO) -> Parts:
    """Read annotated images and divide them. DataError if there is nothing to read, or a part would be empty.

    In this order: ``division.lists``; folders ``train``, ``val``, ``test``; COCO files of such names, in the folder or
    in ``annotations/``; lists beside the images (``ImageSets/Main/train.txt`` or ``train.txt``); the ratio.
    ``encoding`` is of XML files, whatever they declare.
    """
    # Lists that somebody names win over whatever lies beside the images.
    given, named = ({}, []) if division.lists else _separate(root, encoding)
    together = Found()
    if given:
        for found in given.values():
            together.add(found)
        _check_apart(root, given)
        read = Parts({part: found.annotations for part, found in given.items()}, together.problems)
    else:
        together = read_annotations(root, encoding)
        lists = dict(division.lists) or _lists(root)
        if not lists and root.is_dir():
            ways = "dataset.train_list, val_list and test_list divide them otherwise"
            refuse_hidden_parts(root, (one.file for one in together.annotations), ways)
        if lists:
            read = _by_lists(root, together, lists)
        else:
            read = _by_group(root, together, division) if division.group.group else _by_ratio(together, division)
    said = [*named, *noted(together.remarks), *_unclaimed(together), *read.notes]
    read = Parts(read.parts, read.problems, said)
    if read.parts.get("train") and "val" not in read.parts:
        read = Parts({**read.parts, **_with_val(root, read.parts["train"], division)}, read.problems, read.notes)
    empty = [part for part in ("train", "val") if not read.parts.get(part)]
    if empty:
        raise DataError(_nothing(root, " and ".join(empty), read.problems))
    return read


def _nothing(root: Path, parts: str, problems: Sequence[str]) -> str:
    head = f"{root}: no usable annotated image for {parts}"
    return listed(f"{head}; {len(problems)} could not be used", problems) if problems else head


def _separate(root: Path, encoding: str) -> tuple[dict[str, Found], list[str]]:
    """What lies in folders or COCO files of the parts' names, or where YOLO's ``data.yaml`` says, and the note on
    folders that are not called just so; empty if there is nothing for training."""
    if root.suffix in (".yaml", ".yml"):
        return yolo_parts(root.parent, root), []
    if not root.is_dir():
        return {}, []
    if by_yolo := yolo_parts(root):
        return by_yolo, []
    folders = subfolders(root)
    if any(part_of(name) == "train" and holds_annotations(path) for name, path in folders.items()):
        named = named_parts(root, folders.items())
        # Left out in silence, a whole folder of somebody's work would be missed by nobody.
        if other := next((n for n, path in folders.items() if part_of(n) is None and holds_annotations(path)), None):
            raise DataError(f"{root}: {other} holds annotations too, and is no part: put it into one, or elsewhere")
        held = {part: path for part, path in named.items() if holds_annotations(path)}
        return {part: read_annotations(path, encoding) for part, path in held.items()}, parts_note(held)
    files = [p for folder in (root, root / "annotations") for p in sorted(folder.glob("*.json"))]
    found = named_parts(root, ((_part_word(path), path) for path in files))
    return ({part: read_coco(path) for part, path in found.items()} if "train" in found else {}), []


def _check_apart(root: Path, given: Mapping[str, Found]) -> None:
    """DataError for an image that two parts have: what is trained on would be measured too."""
    # By real paths: two folders of parts may be links to the same images.
    owners: dict[str, str] = {}
    for part, found in given.items():
        for annotation in found.annotations:
            owner = owners.setdefault(os.path.realpath(annotation.image), part)
            if owner != part:
                raise DataError(f"{root}: {annotation.image.name} is in the {owner} part and in the {part} part")


def _unclaimed(found: Found) -> list[str]:
    """The note on images that lie beside annotated ones and that no annotation speaks of."""
    seen = {os.path.realpath(image) for image in found.seen}
    beside = [path for folder in {image.parent for image in found.seen} for path in _images_in(folder)]
    # Of a set that somebody annotates by and by, these are the rest: not images without objects.
    rest = sorted(path for path in beside if os.path.realpath(path) not in seen)
    return [f"{len(rest)} images have no annotation and are left out; the first: {rest[0]}"] if rest else []


def _images_in(folder: Path) -> list[Path]:
    return [p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and not p.name.startswith(".")]


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
    folder = root if root.is_dir() else root.parent
    names = names_of(path_names(annotation.image, folder) for annotation in found.annotations)
    listed_by = by_lists(lists, names, "usable annotated image")
    parts = {part: [found.annotations[i] for i in chosen] for part, chosen in listed_by.parts.items()}
    left = len(found.annotations) - sum(map(len, parts.values()))
    notes = [f"{left} annotated images are in no list and left out"] if left else []
    return Parts(parts, [*found.problems, *listed_by.problems], notes)


def _by_group(root: Path, found: Found, division: Division) -> Parts:
    groups = image_groups([one.image for one in found.annotations], root, division.group)
    shares = {"test": division.test_fraction, "val": division.val_fraction}
    places = divided(len(found.annotations), shares, division.seed, groups=groups, who=str(root))
    parts = {part: [found.annotations[i] for i in chosen] for part, chosen in places.items()}
    return Parts(parts, found.problems, [f"{len(set(groups or ()))} groups (dataset.group), each in one part"])


def _with_val(root: Path, train: Sequence[Annotation], division: Division) -> dict[str, list[Annotation]]:
    """Validation taken from training images, and the rest of them."""
    groups = image_groups([one.image for one in train], root, division.group)
    if groups is None:
        rest, val = _drawn(train, held_out(len(train), division.val_fraction), division.seed, "val")
        return {"train": rest, "val": val}
    places = divided(len(train), {"val": division.val_fraction}, division.seed, groups=groups, who=str(root))
    return {part: [train[i] for i in chosen] for part, chosen in places.items()}


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
