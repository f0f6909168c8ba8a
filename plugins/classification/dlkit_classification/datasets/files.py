"""Your own images: a folder per class, by itself or below train, val and test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from dlkit.data.context import Context
from dlkit.data.image_division import own_division
from dlkit.data.image_folders import ImageFolder, class_folders
from dlkit.data.image_sets import read_usable
from dlkit.data.images import allow_megapixels
from dlkit.data.options import folder_rules, pixel_rules
from dlkit.data.parts import part_folders, parts_note, subfolders
from dlkit.data.pixel_rules import PixelRules
from dlkit.data.splits import Data
from dlkit.errors import DataError
from dlkit_classification.options import FilesConfig
from dlkit_classification.storage import LabelledImages, SetDescription, from_one_set, from_parts


def build(config: FilesConfig, context: Context) -> Data:
    root = Path(config.path)
    allow_megapixels(config.max_megapixels)
    folders, said = _folders(root, config)
    if len(folders["train"].classes) < 2:
        what = f"one class only ({folders['train'].classes[0]}); a classifier needs two at least"
        raise DataError(f"{folders['train'].root}: {what}")
    given = {part for part, folder in folders.items() if folder.root != root}
    if config.lists:  # they say more than folders do
        folders, given = {"train": _together(list(folders.values()), root)}, set()
    parts, known = _read_parts(folders, config)
    train = parts["train"]
    own, notes = own_division([Path(name) for name in train.names], root, config, train.labels.tolist(), given)
    known = replace(known, notes=[*said, *known.notes, *notes])
    if not own:
        return from_parts(parts, known, config) if given else from_one_set(train, known, config)
    parts |= {part: train.at(index) for part, index in own.items()}
    known = replace(known, notes=[*known.notes, *_classes_not_trained(parts["train"], known)])
    return from_parts(parts, known, config)


def _classes_not_trained(train: LabelledImages, known: SetDescription) -> list[str]:
    lacking = [name for label, name in enumerate(known.classes) if label not in train.labels]
    return [f"no training image is of {', '.join(lacking)}"] if lacking else []


def _folders(root: Path, config: FilesConfig) -> tuple[dict[str, ImageFolder], list[str]]:
    """The images of each part, as folders say it, or of all as ``train``; and what was taken for a part."""
    how = folder_rules(config, composed=config.spelling == "nfc")
    places = folders_of_parts(root, strict=how.strict)
    training = class_folders(places.get("train", root), rules=how)
    rest = {part: class_folders(path, training.classes, how) for part, path in places.items() if part != "train"}
    return {"train": training, **rest}, parts_note(places)


def _together(folders: Sequence[ImageFolder], root: Path) -> ImageFolder:
    """Those of several folders as one set, which lists divide."""
    paths, labels, notes = ([one for folder in folders for one in getattr(folder, which)]
                            for which in ("paths", "labels", "notes"))  # fmt: skip
    return ImageFolder(folders[0].classes, paths, labels, notes, root)


def _read_parts(
    folders: Mapping[str, ImageFolder], config: FilesConfig
) -> tuple[dict[str, LabelledImages], SetDescription]:
    """The images of each part, and what is known of them."""
    parts, notes, rules = {}, list[str](), pixel_rules(config)
    for part, folder in folders.items():  # the training images first: what they were taken for holds for all
        parts[part], said, rules = read(folder, config, rules)
        notes += [f"{part}: {note}" if len(folders) > 1 else note for note in [*folder.notes, *said]]
    return parts, SetDescription(folders["train"].classes, notes, config.fit, rules)


def folders_of_parts(root: Path, *, strict: bool = True) -> dict[str, Path]:
    """The folders of the parts, if the root holds them and they hold a folder per class; empty where its own folders
    are the classes. DataError where nothing else than parts can be meant, and there are no classes in them."""
    parts = part_folders(root)
    if parts and subfolders(parts["train"]):
        return parts
    if strict and len(parts) > 1:
        names = ", ".join(path.name for path in parts.values())
        what = f"{root}: {names} hold no folder per class (ROOT/{parts['train'].name}/CLASS/image.png)"
        raise DataError(f"{what}; if they are classes, not parts, dataset.doubtful = take takes them as such")
    return {}


def read(folder: ImageFolder, config: FilesConfig, rules: PixelRules) -> tuple[LabelledImages, list[str], PixelRules]:
    """The images, notes of what was left out or converted, and the rules by which they became pixels. DataError names
    what cannot be read, unless that is to be skipped."""
    size, skip = config.size, config.skip_unreadable
    found = read_usable(folder.paths, size, size, colour=config.colour, fit=config.fit, skip=skip, rules=rules)
    labels = np.array(folder.labels, np.int64)[found.kept]
    lost = set(folder.labels) - set(labels.tolist())
    if lost:
        named = ", ".join(folder.classes[label] for label in sorted(lost))
        raise DataError("\n".join([*found.notes, f"no readable image is left of {named}"]))
    names = [str(folder.paths[i]) for i in found.kept]
    return LabelledImages(found.images, labels, names), found.notes, found.rules
