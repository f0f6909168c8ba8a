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
from dlkit.data.boxes import Policy, check_boxes, class_names, without_repeats
from dlkit.data.conversions import conversion_notes
from dlkit.data.equals import Digests, equal_notes, kept_for_training, of_files, of_pixels
from dlkit.data.image_sets import by_one_rule
from dlkit.data.images import allow_megapixels, look_at
from dlkit.data.letterbox import Letterbox
from dlkit.data.names import composed
from dlkit.data.options import MEGAPIXELS, AnnotatedFiles, ImageDivision
from dlkit.data.parts import Indices
from dlkit.data.pixel_rules import PLAIN, PixelRules
from dlkit.data.pixels import Conversion
from dlkit.data.text.corpus import AUTO
from dlkit.data.unusable import left_out
from dlkit.errors import DataError

_AS_GIVEN = ("classes", "invalid", "unknown", "repeated", "spelling", "encoding")
"""Rules that are options of the same names."""


@dataclass(frozen=True)
class ReadRules:
    """What to read, and how strictly.

    classes  their names, by label; empty: those that the training images have, sorted
    invalid, unknown  what becomes of invalid boxes and of boxes of another class (``check_boxes``)
    repeated what a box counts that is written several times, with the same class: once, or each time
    spelling of classes: in Unicode's composed form (NFC), or as written
    skip     leave out images and annotations that cannot be used, and say how many; False: DataError
    megapixels  million pixels that an image may have
    encoding of XML files; auto: what each declares
    """

    path: Path
    division: Division = field(default_factory=Division)
    classes: Sequence[str] = ()
    invalid: Policy = "error"
    unknown: Literal["error", "drop"] = "error"
    skip: bool = False
    repeated: Literal["once", "keep"] = "once"
    spelling: Literal["nfc", "written"] = "nfc"
    megapixels: float = MEGAPIXELS
    encoding: str = AUTO

    @classmethod
    def of(cls, options: AnnotatedFiles) -> ReadRules:
        """What a data set's options ask for."""
        shares = options.val_fraction, options.test_fraction, options.split_seed
        division = Division(options.lists, *shares, ImageDivision(group=options.group, equal=options.equal))
        how = {key: getattr(options, key) for key in _AS_GIVEN}
        most = options.max_megapixels
        return cls(Path(options.path), division, skip=options.skip_unusable, megapixels=most, **how)


@dataclass(frozen=True)
class SoundParts:
    """Annotations of each part whose boxes are all sound and of these classes; ``notes`` say what was left out."""

    classes: list[str]
    parts: dict[str, list[Annotation]]
    notes: list[str]
    drop_equal: bool = False
    """Whether training images that another part has are to be left out."""


@dataclass(frozen=True)
class ImageForm:
    """What images are brought to: RGB or grey, letter-boxed to height × width; ``rules``: how they become pixels."""

    height: int
    width: int
    colour: bool = True
    rules: PixelRules = field(default=PLAIN, repr=False)  # the rest's repr is in fingerprints

    def letterbox(self, annotation: Annotation) -> Letterbox:
        return Letterbox((annotation.width, annotation.height), (self.width, self.height))

    def pixels(self, annotation: Annotation) -> npt.NDArray[np.uint8]:
        """The image, uint8 [C,height,width]; DataError names it if it cannot be read."""
        return self.converted(annotation)[0]

    def converted(self, annotation: Annotation) -> tuple[npt.NDArray[np.uint8], Conversion]:
        """The same, and what had to be decided of it."""
        enough = max(self.height, self.width)
        # Boxes are in pixels of the whole image: only its pixels may be decoded at a fraction of its size.
        image, conversion = look_at(annotation.image, colour=self.colour, enough=enough, rules=self.rules)
        return self.letterbox(annotation).place(image), conversion

    def boxes(self, annotation: Annotation) -> Corners:
        """Its boxes, float32 [M,4], in pixels of the letter-box."""
        return self.letterbox(annotation).forth(annotation.boxes)


def chosen_form(
    height: int | None,
    width: int | None,
    annotations: Sequence[Annotation],
    *,
    side: int,
    colour: bool,
    rules: PixelRules = PLAIN,
) -> tuple[ImageForm, list[str]]:
    """The form that is asked for; a side that is not given follows from the shape that most images have.

    Without either, images get about ``side`` × ``side`` pixels. Sides that are chosen are multiples of 16. Notes say
    what was chosen.
    """
    if height is not None and width is not None:
        return ImageForm(height, width, colour, rules), []
    shape = float(np.median([one.width / one.height for one in annotations]))
    high = height or (_even(width / shape) if width is not None else _even(side / shape**0.5))
    wide = width or (_even(height * shape) if height is not None else _even(side * shape**0.5))
    note = f"images are brought to {wide}×{high} pixels, as most are shaped; dataset.width and dataset.height choose"
    return ImageForm(high, wide, colour, rules), [note]


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
    names: list[str] = field(default_factory=list)
    """Of the files."""

    def at(self, index: Indices) -> BoxedImages:
        columns = (self.boxes, self.labels, self.marks, self.names)
        return BoxedImages(self.images[index], *([column[i] for i in index] for column in columns))

    def __len__(self) -> int:
        return len(self.images)


def read_sound(rules: ReadRules) -> SoundParts:
    """Read, divide and check annotations. DataError names what is wrong, as far as that is not to be left out."""
    allow_megapixels(rules.megapixels)
    read = read_parts(rules.path, rules.division, rules.encoding)
    notes = [*_unusable(read.problems, rules.skip), *read.notes]
    cleaned, remarks = tidied(read.parts, rules)
    notes += [*noted(remarks), *_empty(cleaned)]
    # From the training images alone: a class that only the test has cannot be learnt.
    classes = [_spelled(name, rules) for name in rules.classes] or class_names(cleaned["train"])
    if not classes:
        raise DataError(f"{rules.path}: the training images have no box")
    parts = {}
    for part, found in cleaned.items():
        checked = check_boxes(found, policy=rules.invalid, classes=classes, unknown=rules.unknown)
        parts[part] = checked.annotations
        notes += [f"{part}: {note}" for note in checked.notes()]
    return SoundParts(classes, parts, notes, rules.division.group.equal == "drop")


def _empty(parts: Mapping[str, Sequence[Annotation]]) -> list[str]:
    """The note on images without an object: of a set half annotated, the rest teaches that there is none."""
    images = [one for part in parts.values() for one in part]
    empty = [one.image for one in images if not len(one)]
    what = "images have no object, and are taken as images of nothing"
    return [f"{len(empty)} of {len(images)} {what}; the first: {empty[0]}"] if empty else []


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
    """A part's images in memory, and notes of what could not be read (DataError where that is not to be skipped) or had
    to be converted."""
    return _decoded(sound, part, form, skip)[:2]


def decode_parts(
    sound: SoundParts, form: ImageForm, *, skip: bool
) -> tuple[dict[str, BoxedImages], list[str], PixelRules]:
    """All parts likewise, the training images first, and the rules by which they became pixels: those hold for all."""
    pictures: dict[str, BoxedImages] = {}
    notes: list[str] = []
    for part in sorted(sound.parts, key=lambda part: part != "train"):
        pictures[part], said, rules = _decoded(sound, part, form, skip)
        form = replace(form, rules=rules)
        notes += said
    digests = {part: of_pixels(found.images) for part, found in pictures.items()}
    notes += equal_notes(digests, {part: found.names for part, found in pictures.items()}, dropped=sound.drop_equal)
    if sound.drop_equal:
        pictures["train"] = pictures["train"].at(_left(digests))
    return pictures, notes, form.rules


def without_equals(sound: SoundParts) -> tuple[SoundParts, list[str]]:
    """The same for images that are not in memory, by the files' bytes; and notes."""
    files = {part: [one.image for one in found] for part, found in sound.parts.items()}
    digests = of_files(files)
    names = {part: list(map(str, paths)) for part, paths in files.items()}
    notes = equal_notes(digests, names, dropped=sound.drop_equal)
    if not sound.drop_equal:
        return sound, notes
    train = [sound.parts["train"][i] for i in _left(digests)]
    return replace(sound, parts={**sound.parts, "train": train}), notes


def _left(digests: Mapping[str, Digests]) -> Indices:
    kept = kept_for_training(digests)
    if not len(kept):
        raise DataError("all training images are in other parts too: dataset.equal = drop leaves none")
    return kept


def _decoded(sound: SoundParts, part: str, form: ImageForm, skip: bool) -> tuple[BoxedImages, list[str], PixelRules]:
    annotations = sound.parts[part]
    # Decoded straight into their place: a list of images and a stack of it would hold everything twice.
    images = np.zeros((len(annotations), 3 if form.colour else 1, form.height, form.width), np.uint8)

    def read(i: int, rules: PixelRules) -> Conversion:
        images[i], conversion = replace(form, rules=rules).converted(annotations[i])
        return conversion

    found, rules = by_one_rule(read, range(len(annotations)), form.rules)
    notes = _unusable([str(failure) for failure in found if isinstance(failure, DataError)], skip)
    kept = [i for i, failure in enumerate(found) if not isinstance(failure, DataError)]
    if not kept:
        raise DataError(f"no image of the {part} part can be read")
    told = [(str(annotations[i].image), one) for i, one in enumerate(found) if isinstance(one, Conversion)]
    notes += conversion_notes(told, "dataset.")
    # Only now: boxes of an image that could not be read would have no image.
    boxes = [form.boxes(annotations[i]) for i in kept]
    labels = [label_numbers(annotations[i], sound.classes) for i in kept]
    marks = [annotations[i].marks for i in kept]
    names = [str(annotations[i].image) for i in kept]
    pictures = BoxedImages(images if len(kept) == len(images) else images[kept], boxes, labels, marks, names)
    return pictures, [f"{part}: {note}" for note in notes], rules


def measured(
    sound: SoundParts, form: ImageForm, most: int, *, skip: bool
) -> tuple[npt.NDArray[np.uint8], list[str], PixelRules]:
    """Some training images, evenly chosen, notes of them, and the rules by which they became pixels: for what is to be
    known of images that are read when it is their turn."""
    train = sound.parts["train"]
    chosen = np.linspace(0, len(train) - 1, min(most, len(train))).astype(int)
    some = replace(sound, parts={"train": [train[i] for i in chosen]})
    found, notes, rules = _decoded(some, "train", form, skip)
    return found.images, [f"of {len(chosen)} images looked at, {note}" for note in notes], rules


def label_numbers(annotation: Annotation, classes: Sequence[str]) -> npt.NDArray[np.int64]:
    """The labels int64 [M] of an annotation's boxes."""
    return np.array([classes.index(name) for name in annotation.names], np.int64)


def _unusable(problems: Sequence[str], skip: bool) -> list[str]:
    what = f"{len(problems)} annotated images, or objects on them, cannot be used"
    return left_out(what, problems, skip=skip, option="dataset.skip_unusable")
