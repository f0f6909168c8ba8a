"""Annotated images on their way to a model: sound ones, letter-boxed to one size, their boxes with them.

What several plugins do with ``files`` of VOC or COCO annotations, whatever their batches look like.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from dlkit.data.annotated import Division, read_parts
from dlkit.data.annotations.record import Annotation, Corners, Mark, Remark, noted
from dlkit.data.boxes import Letterbox, Policy, check_boxes, class_names, without_repeats
from dlkit.data.images import open_image
from dlkit.data.names import composed
from dlkit.data.options import AnnotatedFiles
from dlkit.data.unusable import attempt_all, left_out
from dlkit.errors import DataError


@dataclass(frozen=True)
class ReadRules:
    """What to read, and how strictly.

    classes  their names, by label; empty: those that the training images have, sorted
    invalid, unknown  what becomes of invalid boxes and of boxes of another class (``check_boxes``)
    repeated what a box counts that is written several times, with the same class: once, or each time
    spelling of classes: in Unicode's composed form (NFC), or as written
    skip     leave out images and annotations that cannot be used, and say how many; False: DataError
    """

    path: Path
    division: Division = field(default_factory=Division)
    classes: Sequence[str] = ()
    invalid: Policy = "error"
    unknown: Literal["error", "drop"] = "error"
    skip: bool = False
    repeated: Literal["once", "keep"] = "once"
    spelling: Literal["nfc", "written"] = "nfc"

    @classmethod
    def of(cls, options: AnnotatedFiles) -> ReadRules:
        """What a data set's options ask for."""
        division = Division(options.lists, options.val_fraction, options.test_fraction, options.split_seed)
        how = {key: getattr(options, key) for key in ("classes", "invalid", "unknown", "repeated", "spelling")}
        return cls(Path(options.path), division, skip=options.skip_unusable, **how)


@dataclass(frozen=True)
class SoundParts:
    """Annotations of each part whose boxes are all sound and of these classes; ``notes`` say what was left out."""

    classes: list[str]
    parts: dict[str, list[Annotation]]
    notes: list[str]


@dataclass(frozen=True)
class ImageForm:
    """What images are brought to: RGB or grey, letter-boxed to height × width."""

    height: int
    width: int
    colour: bool = True

    def letterbox(self, annotation: Annotation) -> Letterbox:
        return Letterbox((annotation.width, annotation.height), (self.width, self.height))

    def pixels(self, annotation: Annotation) -> npt.NDArray[np.uint8]:
        """The image, uint8 [C,height,width]; DataError names it if it cannot be read."""
        # Boxes are in pixels of the whole image: only its pixels may be decoded at a fraction of its size.
        image = open_image(annotation.image, colour=self.colour, enough=max(self.height, self.width))
        return self.letterbox(annotation).place(image)

    def boxes(self, annotation: Annotation) -> Corners:
        """Its boxes, float32 [M,4], in pixels of the letter-box."""
        return self.letterbox(annotation).forth(annotation.boxes)


def chosen_form(
    height: int | None, width: int | None, annotations: Sequence[Annotation], *, side: int, colour: bool
) -> tuple[ImageForm, list[str]]:
    """The form that is asked for; a side that is not given follows from the shape that most images have.

    Without either, images get about ``side`` × ``side`` pixels. Sides that are chosen are multiples of 16. Notes say
    what was chosen.
    """
    if height is not None and width is not None:
        return ImageForm(height, width, colour), []
    shape = float(np.median([one.width / one.height for one in annotations]))
    high = height or (_even(width / shape) if width is not None else _even(side / shape**0.5))
    wide = width or (_even(height * shape) if height is not None else _even(side * shape**0.5))
    note = f"images are brought to {wide}×{high} pixels, as most are shaped; dataset.width and dataset.height choose"
    return ImageForm(high, wide, colour), [note]


def _even(length: float) -> int:
    return min(_LONGEST, max(_GRAIN, round(length / _GRAIN) * _GRAIN))


_GRAIN = 16
"""Chosen sides are multiples of it: of what usual models halve four times, nothing is left over."""
_LONGEST = 1024
"""Of a side that is chosen, in pixels."""


@dataclass(frozen=True)
class BoxedImages:
    """Images uint8 [N,C,H,W]; of each its boxes float32 [M,4] in its pixels, their labels int64 [M] and marks."""

    images: npt.NDArray[np.uint8]
    boxes: list[Corners]
    labels: list[npt.NDArray[np.int64]]
    marks: list[tuple[Mark, ...]]

    def __len__(self) -> int:
        return len(self.images)


def read_sound(rules: ReadRules) -> SoundParts:
    """Read, divide and check annotations. DataError names what is wrong, as far as that is not to be left out."""
    read = read_parts(rules.path, rules.division)
    notes = [*_unusable(read.problems, rules.skip), *read.notes]
    cleaned, remarks = tidied(read.parts, rules)
    notes += noted(remarks)
    # From the training images alone: a class that only the test has cannot be learnt.
    classes = [_spelled(name, rules) for name in rules.classes] or class_names(cleaned["train"])
    if not classes:
        raise DataError(f"{rules.path}: the training images have no box")
    parts = {}
    for part, found in cleaned.items():
        checked = check_boxes(found, policy=rules.invalid, classes=classes, unknown=rules.unknown)
        parts[part] = checked.annotations
        notes += [f"{part}: {note}" for note in checked.notes()]
    return SoundParts(classes, parts, notes)


def tidied(
    parts: Mapping[str, Sequence[Annotation]], rules: ReadRules
) -> tuple[dict[str, list[Annotation]], list[Remark]]:
    """Annotations with classes in one spelling and each box once, as the rules ask, and what was changed."""
    remarks: list[Remark] = []
    written: dict[str, str] = {}
    found: dict[str, list[Annotation]] = {}
    for part, of_part in parts.items():
        found[part] = []
        for one in of_part:
            names = tuple(_spelled(name, rules) for name in one.names)
            for name, spelled in zip(one.names, names, strict=True):
                # Two classes that nobody can tell apart on a screen would each have half of the objects.
                if written.setdefault(spelled, name) != name:
                    remarks.append(Remark(_ONE_SPELLING, f"{one.file}: {spelled!r}"))
            once = replace(one, names=names)
            found[part].append(without_repeats(once, remarks) if rules.repeated == "once" else once)
    return found, remarks


_ONE_SPELLING = (
    "names of classes are spelled with other code points than before (é in one piece, or e and its accent): one class; "
    "dataset.spelling = written tells them apart"
)


def _spelled(name: str, rules: ReadRules) -> str:
    return composed(name) if rules.spelling == "nfc" else name


def decode_part(sound: SoundParts, part: str, form: ImageForm, *, skip: bool) -> tuple[BoxedImages, list[str]]:
    """A part's images in memory, and notes of what could not be read (DataError where that is not to be skipped)."""
    annotations = sound.parts[part]
    # Decoded straight into their place: a list of images and a stack of it would hold everything twice.
    images = np.zeros((len(annotations), 3 if form.colour else 1, form.height, form.width), np.uint8)

    def read(i: int) -> None:
        images[i] = form.pixels(annotations[i])

    failures = attempt_all(read, range(len(annotations)))
    notes = [f"{part}: {note}" for note in _unusable([str(failure) for failure in failures if failure], skip)]
    kept = [i for i, failure in enumerate(failures) if failure is None]
    if not kept:
        raise DataError(f"no image of the {part} part can be read")
    # Only now: boxes of an image that could not be read would have no image.
    boxes = [form.boxes(annotations[i]) for i in kept]
    labels = [label_numbers(annotations[i], sound.classes) for i in kept]
    marks = [annotations[i].marks for i in kept]
    return BoxedImages(images if len(kept) == len(images) else images[kept], boxes, labels, marks), notes


def label_numbers(annotation: Annotation, classes: Sequence[str]) -> npt.NDArray[np.int64]:
    """The labels int64 [M] of an annotation's boxes."""
    return np.array([classes.index(name) for name in annotation.names], np.int64)


def _unusable(problems: Sequence[str], skip: bool) -> list[str]:
    what = f"{len(problems)} annotated images, or objects on them, cannot be used"
    return left_out(what, problems, skip=skip, option="dataset.skip_unusable")
