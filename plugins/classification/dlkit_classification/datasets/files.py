"""Your own images: a folder per class, by itself or below train, val and test."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dlkit.data.context import Context
from dlkit.data.image_folders import ImageFolder, class_folders
from dlkit.data.image_sets import read_usable
from dlkit.data.images import allow_megapixels
from dlkit.data.options import pixel_rules
from dlkit.data.parts import part_folders
from dlkit.data.pixel_rules import PixelRules
from dlkit.data.splits import Data
from dlkit.errors import DataError
from dlkit_classification.options import FilesConfig
from dlkit_classification.storage import LabelledImages, SetDescription, from_one_set, from_parts


def build(config: FilesConfig, context: Context) -> Data:
    root, rules = Path(config.path), pixel_rules(config)
    allow_megapixels(config.max_megapixels)
    parts = folders_of_parts(root)
    if not parts:
        folder = class_folders(root)
        _check_classes(root, folder)
        pictures, notes, rules = read(folder, config, rules)
        return from_one_set(pictures, SetDescription(folder.classes, notes, config.fit, rules), config)
    training = class_folders(parts["train"])
    _check_classes(parts["train"], training)
    read_parts, notes = {}, []
    for part, path in parts.items():  # the training images first: what they were taken for holds for all
        folder = training if part == "train" else class_folders(path, training.classes)
        read_parts[part], found, rules = read(folder, config, rules)
        notes += [f"{part}: {note}" for note in found]
    return from_parts(read_parts, SetDescription(training.classes, notes, config.fit, rules), config)


def folders_of_parts(root: Path) -> dict[str, Path]:
    """The folders of the parts, if the root holds them and they hold a folder per class; empty where its own folders
    are the classes."""
    parts = part_folders(root)
    return parts if parts and any(path.is_dir() for path in parts["train"].iterdir()) else {}


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
    return LabelledImages(found.images, labels), found.notes, found.rules


def _check_classes(root: Path, folder: ImageFolder) -> None:
    if len(folder.classes) < 2:
        raise DataError(f"{root}: one class only ({folder.classes[0]}); a classifier needs two at least")
