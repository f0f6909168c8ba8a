"""YOLO's text format: a label file an image, a line an object: class number, then shares of the image's size.

As Ultralytics, Roboflow, CVAT, Label Studio and LabelImg write it (docs.ultralytics.com/datasets/detect): centre x,
centre y, width, height; or the corners of a polygon, whose box is taken.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from dlkit.bounded import BadFile, read_bytes
from dlkit.data.annotations.record import Annotation, Found, Remark, attempted, corners, of_image
from dlkit.data.annotations.yolo_names import NAME_FILES, YoloNames, names_for
from dlkit.data.files import is_file, visible_files
from dlkit.data.images import SUFFIXES, image_size
from dlkit.errors import DataError

_LARGEST = 1 << 24
"""Bytes of a label file: a line of five numbers has some 40, a polygon's some thousand."""
_FAR = 2.0
"""Shares of the image's size beyond which a number, or the other way below 1 − it, is none: pixels, most likely."""

_OF_POLYGON = "lines are polygons: the box around each is taken"
_CONFIDENCE = "lines have a sixth number, a model's confidence, which is ignored: they may be answers, not annotations"
_KEY_POINTS = "lines have key points after the box, which are ignored"
_BACKGROUND = "images have no label file: they are taken as images without objects"
_NUMBERED = "label files belong to classes without names (no data.yaml, no classes.txt): numbers name them"


@dataclass(frozen=True)
class _Pair:
    """An image and its label file; ``others``: further images that the same file would be of."""

    image: Path
    label: Path | None
    others: tuple[Path, ...] = ()

    @property
    def apart(self) -> bool:
        """Whether the label file is in a folder of labels."""
        return self.label is not None and self.label.parent != self.image.parent


def holds_yolo(folder: Path) -> bool:
    """Whether images have label files in a folder ``labels``, or beside them and names of classes with those."""
    found = [pair for pair in _pairs(folder) if pair.label]
    # A text beside a picture may say anything (a caption): names of classes show what it is.
    return any(pair.apart for pair in found) or bool(found and names_for(folder))


def read_yolo(folder: Path, names: YoloNames | None = None) -> Found:
    """The images in a folder and below it, with the label file of each: in ``labels`` where the image is in ``images``,
    else beside it. Images without one have no objects, and are counted.

    ``names`` of the classes; not given: those that the folder or the one above it has. DataError: no image has labels.
    """
    names = names or names_for(folder)
    pairs = _pairs(folder)
    labels = {pair.label for pair in pairs if pair.label}
    if not labels:
        raise DataError(f"{folder}: none of its {len(pairs)} images has a label file")

    def attempt(pair: _Pair) -> Found:
        return of_image(pair.image, lambda found: _annotation(pair, names, found))

    found = attempted(attempt, pairs)
    if names is None:
        found.remarks.extend(Remark(_NUMBERED, str(label)) for label in sorted(labels))
    found.problems.extend(_without_image(labels, {pair.label.parent for pair in pairs if pair.label and pair.apart}))
    return found


def _pairs(folder: Path) -> list[_Pair]:
    images = visible_files(folder, SUFFIXES)
    owners: dict[Path, list[Path]] = {}
    for image in images:
        if label := _label_of(image):
            owners.setdefault(label, []).append(image)
    shared = {image: (label, of) for label, of in owners.items() for image in of}
    pairs = []
    for image in images:
        label, of = shared.get(image, (None, []))
        pairs.append(_Pair(image, label, tuple(other for other in of if other != image)))
    return pairs


def _label_of(image: Path) -> Path | None:
    """An image's label file: below ``labels`` in place of the last ``images`` of its path, else beside it."""
    there = _in_labels(image).with_suffix(".txt")
    beside = image.with_suffix(".txt")
    return next((path for path in (there, beside) if is_file(path) and path.name not in NAME_FILES), None)


def _in_labels(path: Path) -> Path:
    """``set/images/train/1.jpg`` → ``set/labels/train/1.jpg``; a path without ``images`` as it is."""
    if "images" not in path.parts:
        return path
    last = len(path.parts) - 1 - path.parts[::-1].index("images")
    return Path(*path.parts[:last], "labels", *path.parts[last + 1 :])


def _without_image(labels: set[Path], folders: set[Path]) -> list[str]:
    """A problem for each label file that lies among the others, in ``folders`` of labels, and belongs to no image."""
    # Beside images may lie any text; in a folder of labels there are labels.
    there = {path for folder in folders for path in folder.iterdir() if path.suffix == ".txt" and is_file(path)}
    lost = sorted(path for path in there - labels if path.name not in NAME_FILES)
    return [f"{path}: a label file without an image {path.stem}.*" for path in lost]


def _annotation(pair: _Pair, names: YoloNames | None, found: Found) -> Annotation:
    size = image_size(pair.image)
    if pair.label is None:
        found.remarks.append(Remark(_BACKGROUND, str(pair.image)))
        return Annotation(pair.image, pair.image, *size, corners("", []), ())
    if pair.others:
        raise DataError(f"{pair.label}: it is of {pair.image.name} and of {pair.others[0].name}: one image has labels")
    lines = [(number, line.split()) for number, line in enumerate(_lines(pair.label), 1) if line.strip()]
    read = found.usable(
        partial(_object, f"{pair.label}: line {number}", words, names, size, found.remarks) for number, words in lines
    )
    boxes = corners(pair.label, [box for _, box in read])
    return Annotation(pair.image, pair.label, *size, boxes, tuple(name for name, _ in read))


def _lines(label: Path) -> list[str]:
    try:
        return read_bytes(label, _LARGEST).decode("utf-8-sig").splitlines()
    except (OSError, BadFile, UnicodeDecodeError) as error:
        raise DataError(f"{label}: not readable as labels: {error}") from error


def _object(
    who: str, words: Sequence[str], names: YoloNames | None, size: tuple[int, int], remarks: list[Remark]
) -> tuple[str, list[float]]:
    """The class of a line and its box in pixels."""
    numbers = _numbers(who, words)
    name = _class_name(who, numbers[0], names)
    shares = numbers[1:]
    if names and names.key_points and len(shares) > 4:
        remarks.append(Remark(_KEY_POINTS, who))
        shares = shares[:4]
    elif len(shares) == 5:
        remarks.append(Remark(_CONFIDENCE, who))
        shares = shares[:4]
    if far := next((value for value in shares if not 1 - _FAR <= value <= _FAR), None):
        raise DataError(f"{who}: {far:g} is no share of the image's size, as YOLO's numbers are; pixels are not read")
    if len(shares) == 4:
        x, y, width, height = shares
        box = [x - width / 2, y - height / 2, x + width / 2, y + height / 2]
    elif len(shares) >= 6 and not len(shares) % 2:
        remarks.append(Remark(_OF_POLYGON, who))
        box = [min(shares[::2]), min(shares[1::2]), max(shares[::2]), max(shares[1::2])]
    else:
        raise DataError(f"{who}: {len(words)} numbers; a box has 5 with its class, a polygon 7, 9, 11 …")
    # Shares have six decimals: more than hundredths of a pixel they do not say, and a pixel's width must stay one.
    return name, [round(side * scale, 2) for side, scale in zip(box, (*size, *size), strict=True)]


def _numbers(who: str, words: Sequence[str]) -> list[float]:
    try:
        numbers = [float(word) for word in words]
    except ValueError as error:
        raise DataError(f"{who}: {' '.join(words)[:60]!r} is not a class and numbers") from error
    if not all(map(math.isfinite, numbers)):
        raise DataError(f"{who}: a number of {' '.join(words)[:60]!r} is not finite")
    return numbers


def _class_name(who: str, number: float, names: YoloNames | None) -> str:
    if number < 0 or number != int(number):
        raise DataError(f"{who}: class {number:g} is not a number from 0 on")
    if names is None:
        return str(int(number))
    if int(number) not in names.classes:
        raise DataError(f"{who}: class {int(number)} has no name in {names.file}, which names {len(names.classes)}")
    return names.classes[int(number)]
