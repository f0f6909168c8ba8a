"""Your own images: a folder per class, by itself or below train, val and test."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dlkit.data.context import Context
from dlkit.data.images import ImageFolder, class_folders, read_images
from dlkit.data.splits import Data
from dlkit.errors import DataError, listed
from dlkit_classification.options import FilesConfig
from dlkit_classification.storage import Known, Pictures, from_one_set, from_parts

PARTS = {"train": ("train",), "val": ("val", "valid", "validation"), "test": ("test",)}
"""Split → the names its folder may have."""


def build(config: FilesConfig, context: Context) -> Data:
    root = Path(config.path)
    parts = find_parts(root)
    if not parts:
        folder = class_folders(root)
        _check_classes(root, folder)
        pictures, notes = read(folder, config)
        return from_one_set(pictures, Known(folder.classes, notes, config.fit), config)
    training = class_folders(parts["train"])
    _check_classes(parts["train"], training)
    read_parts, notes = {}, []
    for part, path in parts.items():
        folder = training if part == "train" else class_folders(path, training.classes)
        read_parts[part], found = read(folder, config)
        notes += [f"{part}: {note}" for note in found]
    return from_parts(read_parts, Known(training.classes, notes, config.fit), config)


def find_parts(root: Path) -> dict[str, Path]:
    """The folders of the splits, if the root holds them; empty where its folders are classes.

    It holds splits if there is a ``train`` and nothing that is no split: a class may be called "train" too.
    """
    if not root.is_dir():
        raise DataError(f"{root}: no such folder")
    folders = {p.name: p for p in root.iterdir() if p.is_dir() and not p.name.startswith(".")}
    splits = {name: part for part, names in PARTS.items() for name in names}
    if "train" not in folders or not set(folders) <= set(splits):
        return {}
    found: dict[str, Path] = {}
    for name, path in sorted(folders.items()):
        if splits[name] in found:
            raise DataError(f"{root}: both {found[splits[name]].name} and {name} are {splits[name]} splits")
        found[splits[name]] = path
    return found if any(p.is_dir() for p in folders["train"].iterdir()) else {}


def read(folder: ImageFolder, config: FilesConfig) -> tuple[Pictures, list[str]]:
    """The images, and notes of what was left out. DataError names what cannot be read, unless that is to be skipped."""
    images, failed = read_images(folder.paths, config.size, config.size, colour=config.colour, fit=config.fit)
    pictures = Pictures(images, np.array(folder.labels, np.int64))
    if not failed:
        return pictures, []
    message = listed(f"{len(failed)} of {len(folder)} images cannot be read", list(failed.values()))
    if not config.skip_unreadable:
        raise DataError(f"{message}\ndataset.skip_unreadable = true leaves them out")
    kept = np.setdiff1d(np.arange(len(folder)), list(failed))
    lost = set(folder.labels) - set(pictures.labels[kept].tolist())
    if lost:
        raise DataError(f"{message}\nno readable image is left of {', '.join(folder.classes[i] for i in sorted(lost))}")
    return Pictures(images[kept], pictures.labels[kept]), [message]


def _check_classes(root: Path, folder: ImageFolder) -> None:
    if len(folder.classes) < 2:
        raise DataError(f"{root}: one class only ({folder.classes[0]}); a classifier needs two at least")
