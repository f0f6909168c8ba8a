"""Your own images with Pascal VOC XML or COCO JSON; of several boxes on an image, the first counts.

A group's box (COCO's ``iscrowd``) is none; an object that is hard to make out (VOC's ``difficult``) is one like others.
"""

from __future__ import annotations

import numpy as np

from dlkit.data.annotated_images import BoxedImages, ReadRules, chosen_form, decode_part, read_sound
from dlkit.data.context import Context
from dlkit.data.splits import Data
from dlkit_localization.augment import Mirror
from dlkit_localization.options import FilesConfig
from dlkit_localization.storage import Scenes, splits_and_info

_SIDE = 96
"""Pixels of a square that has as many as images of no given size get."""


def build(config: FilesConfig, context: Context) -> Data:
    sound = read_sound(ReadRules.of(config))
    form, chosen = chosen_form(config.height, config.width, sound.parts["train"], side=_SIDE, colour=config.colour)
    notes = [*sound.notes, *chosen]
    parts = {}
    for part in sound.parts:
        pictures, said = decode_part(sound, part, form, skip=config.skip_unusable)
        parts[part] = first_objects(pictures)
        several = sum(len(marks) - marks.count("crowd") > 1 for marks in pictures.marks)
        notes += [*said, *([f"{part}: {several} images have several boxes: the first counts"] if several else [])]
    splits, info = splits_and_info(parts, sound.classes)
    return Data(
        splits["train"],
        splits["val"],
        info,
        splits.get("test"),
        augment=Mirror() if config.flip else None,
        notes=notes,
        resolved_options={"height": form.height, "width": form.width},
    )


def first_objects(pictures: BoxedImages) -> Scenes:
    """Each image with the first of its boxes, or none."""
    boxes = np.zeros((len(pictures), 4), np.float32)
    labels = np.full(len(pictures), -1, np.int64)
    for i, marks in enumerate(pictures.marks):
        first = next((place for place, mark in enumerate(marks) if mark != "crowd"), None)
        if first is not None:
            boxes[i], labels[i] = pictures.boxes[i][first], pictures.labels[i][first]
    return Scenes(pictures.images, boxes, labels)
