"""Your own images with Pascal VOC XML, COCO JSON or YOLO's labels; of several boxes on an image, the first counts.

A group's box (COCO's ``iscrowd``) is none; an object that is hard to make out (VOC's ``difficult``) is one like others.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dlkit.data.annotated_images import BoxedImages, ReadRules, chosen_form, decode_parts, read_sound
from dlkit.data.context import Context
from dlkit.data.options import pixel_rules
from dlkit.data.splits import Data
from dlkit_localization.augment import Mirror
from dlkit_localization.options import FilesConfig
from dlkit_localization.storage import Scenes, splits_and_info

_SIDE = 96
"""Pixels of a square that has as many as images of no given size get."""


def build(config: FilesConfig, context: Context) -> Data:
    sound = read_sound(ReadRules.of(config))
    rules = pixel_rules(config)
    form, chosen = chosen_form(
        config.height, config.width, sound.parts["train"], side=_SIDE, colour=config.colour, rules=rules
    )
    pictures, said, rules = decode_parts(sound, form, skip=config.skip_unusable)
    notes = [*sound.notes, *chosen, *said, *_several(pictures)]
    parts = {part: first_objects(found) for part, found in pictures.items()}
    splits, info = splits_and_info(parts, sound.classes, rules)
    return Data(
        splits["train"],
        splits["val"],
        info,
        splits.get("test"),
        augment=Mirror() if config.flip else None,
        notes=notes,
        resolved_options={"height": form.height, "width": form.width},
    )


def _several(parts: Mapping[str, BoxedImages]) -> list[str]:
    """On how many images of each part objects do not count."""
    counts = {part: sum(len(m) - m.count("crowd") > 1 for m in found.marks) for part, found in parts.items()}
    return [f"{part}: {count} images have several boxes: the first counts" for part, count in counts.items() if count]


def first_objects(pictures: BoxedImages) -> Scenes:
    """Each image with the first of its boxes, or none."""
    boxes = np.zeros((len(pictures), 4), np.float32)
    labels = np.full(len(pictures), -1, np.int64)
    for i, marks in enumerate(pictures.marks):
        first = next((place for place, mark in enumerate(marks) if mark != "crowd"), None)
        if first is not None:
            boxes[i], labels[i] = pictures.boxes[i][first], pictures.labels[i][first]
    return Scenes(pictures.images, boxes, labels)
