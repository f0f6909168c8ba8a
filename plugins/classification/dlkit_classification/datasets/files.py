"""Your own images: a folder per class, by itself or below train, val and test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from dlkit.data.context import Context
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
    root, how = Path(config.path), folder_rules(config, composed=config.spelling == "nfc")
    allow_megapixels(config.max_megapixels)
    places = folders_of_parts(root, strict=how.strict)
    training = class_folders(places.get("train", root), rules=how)
    if len(training.classes) < 2:
        what = f"one class only ({training.classes[0]}); a classifier needs two at least"
        raise DataError(f"{places.get('train', root)}: {what}")
    if not places:
        pictures, said, rules = read(training, config, pixel_rules(config))
        known = SetDescription(training.classes, [*training.notes, *said], config.fit, rules)
        return from_one_set(pictures, known, config)
    rest = {part: class_folders(path, training.classes, how) for part, path in places.items() if part != "train"}
    read_parts, known = _read_parts({"train": training, **rest}, config)
    return from_parts(read_parts, replace(known, notes=[*parts_note(places), *known.notes]), config)


def _read_parts(
    folders: Mapping[str, ImageFolder], config: FilesConfig
) -> tuple[dict[str, LabelledImages], SetDescription]:
    """The images of each part, and what is known of them."""
    parts, notes, rules = {}, list[str](), pixel_rules(config)
    for part, folder in folders.items():  # the training images first: what they were taken for holds for all
        parts[part], said, rules = read(folder, config, rules)
        notes += [f"{part}: {note}" for note in [*folder.notes, *said]]
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
    return LabelledImages(found.images, labels), found.notes, found.rules
