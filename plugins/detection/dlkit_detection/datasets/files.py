"""Your own images, of any size, with Pascal VOC XML, COCO JSON or YOLO's labels."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch

from dlkit.data.annotated_images import (
    BoxedImages,
    ImageForm,
    ReadRules,
    SoundParts,
    chosen_form,
    decode_parts,
    label_numbers,
    measured,
    read_sound,
    without_equals,
)
from dlkit.data.annotations.record import Annotation
from dlkit.data.context import Context, silent
from dlkit.data.encoding import Encoding, channel_statistics
from dlkit.data.images import allow_megapixels
from dlkit.data.options import MEGAPIXELS, pixel_rules
from dlkit.data.pixel_rules import BEFORE, PixelRules
from dlkit.data.splits import Data, MapSplit, Split
from dlkit.errors import DataError
from dlkit_detection.ignored import marked_labels
from dlkit_detection.options import FilesConfig
from dlkit_detection.storage import as_data, padded, split

_SIDE = 160
"""Pixels of a square that has as many as images of no given size get."""
_STRIDE = 8
"""Pixels from place to place on the finest level of the model that is suggested for files."""
_MEASURED = 500
"""Images that the normalisation is taken from, where they are not all in memory."""


def build(config: FilesConfig, context: Context) -> Data:
    sound = read_sound(ReadRules.of(config))
    rules = pixel_rules(config)
    form, chosen = chosen_form(
        config.height, config.width, sound.parts["train"], side=_SIDE, colour=config.colour, rules=rules
    )
    channels = 3 if config.colour else 1
    total = sum(map(len, sound.parts.values())) * channels * form.height * form.width
    in_memory = total <= config.memory * 2**30
    splits, encoding, rules, notes = (
        _in_memory(sound, form, config) if in_memory else _on_disk(sound, form, config, context.say)
    )
    shape = channels, form.height, form.width
    notes = [*sound.notes, *chosen, *notes, *_aside(sound), *_small(sound, form)]
    size = {"height": form.height, "width": form.width}
    return as_data(splits, sound.classes, shape, encoding, config, rules=rules, notes=notes, resolved_options=size)


def _aside(sound: SoundParts) -> list[str]:
    """How many objects do not count."""
    marks = [mark for part in sound.parts.values() for one in part for mark in one.marks]
    said = [f"{marks.count('difficult')} difficult objects", f"{marks.count('crowd')} groups (iscrowd)"]
    there = [what for what in said if not what.startswith("0 ")]
    return [f"{' and '.join(there)} are ignored: neither to be found nor a mistake to find"] if there else []


def _small(sound: SoundParts, form: ImageForm) -> list[str]:
    """How many boxes lie between the places of a usual model."""
    boxes = np.concatenate([form.boxes(one) for part in sound.parts.values() for one in part])
    small = int(((boxes[:, 2:] - boxes[:, :2]).min(1) < _STRIDE).sum())
    what = f"{small} of {len(boxes)} boxes are less than {_STRIDE} pixels wide or high at {form.width}×{form.height}"
    rest = "less than from place to place at model.strides = 8: larger images or finer strides find more of them"
    return [f"{what}, {rest}"] if small else []


_Read = tuple[dict[str, Split], Encoding, PixelRules, list[str]]
"""Splits, their normalisation, how files became pixels, and notes."""


def _in_memory(sound: SoundParts, form: ImageForm, config: FilesConfig) -> _Read:
    read, notes, rules = decode_parts(sound, form, skip=config.skip_unusable)
    encoding = Encoding(*channel_statistics(read["train"].images))
    splits: dict[str, Split] = {
        part: split(torch.from_numpy(found.images), padded(found.boxes, 0), padded(_labels(found), -1), encoding)
        for part, found in read.items()
    }
    return splits, encoding, rules, notes


def _labels(found: BoxedImages) -> list[npt.NDArray[np.int64]]:
    return [marked_labels(labels, marks) for labels, marks in zip(found.labels, found.marks, strict=True)]


def _on_disk(sound: SoundParts, form: ImageForm, config: FilesConfig, say: Callable[[str], None]) -> _Read:
    sound, equal = without_equals(sound)
    pixels, notes, rules = measured(sound, form, _MEASURED, skip=config.skip_unusable)
    encoding, form = Encoding(*channel_statistics(pixels)), replace(form, rules=rules)
    splits: dict[str, Split] = {
        part: FileSplit(
            found, sound.classes, form, encoding, say if config.skip_unusable else None, config.max_megapixels
        )
        for part, found in sound.parts.items()
    }
    how = "images are read from disk when it is their turn; dataset.memory is for less"
    return splits, encoding, rules, [how, *equal, *notes]


class FileSplit(MapSplit):
    """Annotated images that are read when it is their turn: for what does not fit in memory."""

    padding = {"boxes": 0, "labels": -1}

    def __init__(
        self,
        annotations: Sequence[Annotation],
        classes: Sequence[str],
        form: ImageForm,
        encoding: Encoding,
        say: Callable[[str], None] | None = None,
        megapixels: float = MEGAPIXELS,
    ) -> None:
        """``say``: an image that cannot be read is told of there, and its neighbour taken; None: DataError.
        ``megapixels``: million pixels that an image may have."""
        super().__init__(transform=encoding)
        self._megapixels = megapixels
        self._annotations, self._classes, self._form, self._say = annotations, classes, form, say
        self._told: set[int] = set()

    def __len__(self) -> int:
        return len(self._annotations)

    def sample(self, index: int, rng: np.random.Generator | None) -> Mapping[str, npt.NDArray[np.generic]]:
        if self._say is None:
            return self._read(index)
        # Not left out: a batch has as many samples as its plan says. The next one is a function of the files alone.
        for place in range(index, index + len(self)):
            try:
                return self._read(place % len(self))
            except DataError as error:
                if place % len(self) not in self._told:
                    self._told.add(place % len(self))
                    self._say(f"{error}; dataset.skip_unusable: the next image is taken instead")
        raise DataError("no image can be read any more")

    def _read(self, index: int) -> Mapping[str, npt.NDArray[np.generic]]:
        allow_megapixels(self._megapixels)  # here: whoever reads may be another process, which nobody has told
        annotation = self._annotations[index]
        return {
            "image": self._form.pixels(annotation),
            "boxes": self._form.boxes(annotation),
            "labels": marked_labels(label_numbers(annotation, self._classes), annotation.marks),
        }

    def __getstate__(self) -> dict[str, object]:
        return {**super().__getstate__(), "_say": self._say and silent}  # to whom it is said, a process may not be told

    def fingerprint(self) -> str:
        """Of boxes, classes, and the images' names, sizes in bytes and times; reading their pixels takes too long."""
        digest = hashlib.sha256(repr((self._form, list(self._classes))).encode())
        if self._form.rules != BEFORE:
            digest.update(repr(self._form.rules).encode())
        for annotation in self._annotations:
            status = annotation.image.stat()
            what = f"{annotation.image} {status.st_size} {status.st_mtime_ns} {annotation.names}"
            digest.update(what.encode("utf-8", "surrogateescape"))
            digest.update(annotation.boxes.tobytes())
            digest.update("".join(annotation.marks).encode())
        return digest.hexdigest()
