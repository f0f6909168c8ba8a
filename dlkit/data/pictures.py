"""Annotated images on their way to a model: sound ones, letter-boxed to one size, their boxes with them.

What several plugins do with ``files`` of VOC or COCO annotations, whatever their batches look like.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from dlkit.data.annotated import Division, read_parts
from dlkit.data.annotations import Annotation, Corners
from dlkit.data.boxes import Letterbox, Policy, check_boxes, class_names
from dlkit.data.images import open_image
from dlkit.data.options import AnnotatedFiles
from dlkit.errors import DataError, listed

_THREADS = 4


@dataclass(frozen=True)
class Wanted:
    """What to read, and how strictly.

    classes  their names, by label; empty: those that the training images have, sorted
    invalid, unknown  what becomes of invalid boxes and of boxes of another class (``check_boxes``)
    skip     leave out images and annotations that cannot be used, and say how many; False: DataError
    """

    path: Path
    division: Division = field(default_factory=Division)
    classes: Sequence[str] = ()
    invalid: Policy = "error"
    unknown: Literal["error", "drop"] = "error"
    skip: bool = False

    @classmethod
    def by(cls, options: AnnotatedFiles) -> Wanted:
        """What a data set's options ask for."""
        lists = {"train": options.train_list, "val": options.val_list, "test": options.test_list}
        given = {part: Path(file) for part, file in lists.items() if file}
        division = Division(given, options.val_fraction, options.test_fraction, options.split_seed)
        path, skip = Path(options.path), options.skip_unusable
        return cls(path, division, options.classes, options.invalid, options.unknown, skip)


@dataclass(frozen=True)
class Sound:
    """Annotations of each part whose boxes are all sound and of these classes; ``notes`` say what was left out."""

    classes: list[str]
    parts: dict[str, list[Annotation]]
    notes: list[str]


@dataclass(frozen=True)
class Form:
    """What images are brought to: RGB or grey, letter-boxed to height × width."""

    height: int
    width: int
    colour: bool = True

    def letterbox(self, annotation: Annotation) -> Letterbox:
        return Letterbox((annotation.width, annotation.height), (self.width, self.height))

    def pixels(self, annotation: Annotation) -> npt.NDArray[np.uint8]:
        """The image, uint8 [C,height,width]; DataError names it if it cannot be read."""
        image = open_image(annotation.image, colour=self.colour, enough=max(self.height, self.width))
        return self.letterbox(annotation).place(image)

    def boxes(self, annotation: Annotation) -> Corners:
        """Its boxes, float32 [M,4], in pixels of the letter-box."""
        return self.letterbox(annotation).forth(annotation.boxes)


@dataclass(frozen=True)
class Pictures:
    """Images uint8 [N,C,H,W]; of each its boxes float32 [M,4] in its pixels, and their labels int64 [M]."""

    images: npt.NDArray[np.uint8]
    boxes: list[Corners]
    labels: list[npt.NDArray[np.int64]]

    def __len__(self) -> int:
        return len(self.images)


def read_sound(wanted: Wanted) -> Sound:
    """Read, divide and check annotations. DataError names what is wrong, as far as that is not to be left out."""
    read = read_parts(wanted.path, wanted.division)
    notes = [*read.notes, *_unusable(read.problems, wanted.skip)]
    classes = list(wanted.classes) or class_names(read.parts["train"])
    if not classes:
        raise DataError(f"{wanted.path}: the training images have no box")
    parts = {}
    for part, found in read.parts.items():
        checked = check_boxes(found, policy=wanted.invalid, classes=classes, unknown=wanted.unknown)
        parts[part] = checked.annotations
        notes += [f"{part}: {note}" for note in checked.notes()]
    return Sound(classes, parts, notes)


def decode(sound: Sound, part: str, form: Form, *, skip: bool) -> tuple[Pictures, list[str]]:
    """A part's images in memory, and notes of what could not be read (DataError where that is not to be skipped)."""
    annotations = sound.parts[part]
    images = np.zeros((len(annotations), 3 if form.colour else 1, form.height, form.width), np.uint8)

    def read(i: int) -> str | None:
        try:
            images[i] = form.pixels(annotations[i])
        except DataError as error:
            return str(error)
        return None

    with ThreadPoolExecutor(_THREADS) as pool:
        failures = list(pool.map(read, range(len(annotations))))
    notes = [f"{part}: {note}" for note in _unusable([failure for failure in failures if failure], skip)]
    kept = [i for i, failure in enumerate(failures) if failure is None]
    if not kept:
        raise DataError(f"no image of the {part} part can be read")
    boxes = [form.boxes(annotations[i]) for i in kept]
    labels = [label_numbers(annotations[i], sound.classes) for i in kept]
    return Pictures(images if len(kept) == len(images) else images[kept], boxes, labels), notes


def label_numbers(annotation: Annotation, classes: Sequence[str]) -> npt.NDArray[np.int64]:
    """The labels int64 [M] of an annotation's boxes."""
    return np.array([classes.index(name) for name in annotation.names], np.int64)


def _unusable(problems: Sequence[str], skip: bool) -> list[str]:
    if not problems:
        return []
    message = listed(f"{len(problems)} annotated images cannot be used", problems)
    if not skip:
        raise DataError(f"{message}\ndataset.skip_unusable = true leaves them out")
    return [message]
