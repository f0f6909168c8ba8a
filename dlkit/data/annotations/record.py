"""What is read of one image, and of many: annotations, what cannot be used, what was guessed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple, TypeVar

import numpy as np

from dlkit.data import letterbox
from dlkit.data.unusable import attempt_all
from dlkit.errors import DataError

Object = TypeVar("Object")

Corners = letterbox.Corners

Mark = Literal["", "difficult", "crowd"]
"""Of an object: VOC's ``difficult``, hard to make out, or COCO's ``iscrowd``, a box around a group."""


@dataclass(frozen=True)
class Annotation:
    """One image and the objects on it.

    image   its file;  ``file``: where the boxes are written down (messages name it)
    width, height  in pixels, as the image is seen upright
    boxes   float32 [M,4], corners (x1, y1, x2, y2) in pixels of the upright image, as written: sound or not
    names   the class of each box
    marks   what is said of each beside that; not given: nothing of any
    """

    image: Path
    file: Path
    width: int
    height: int
    boxes: Corners
    names: tuple[str, ...]
    marks: tuple[Mark, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "marks", self.marks or ("",) * len(self.names))

    def __len__(self) -> int:
        return len(self.names)


class Remark(NamedTuple):
    """Something that was guessed or converted: what (the same words each time, so that it is counted), and where."""

    what: str
    where: str


@dataclass(frozen=True)
class Found:
    """What was read.

    annotations  the usable ones, in the order of their files
    problems     an image or an object each that cannot be used, with its file
    remarks      what was guessed or converted
    seen         images that are spoken of, usable or not
    """

    annotations: list[Annotation] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    seen: set[Path] = field(default_factory=set)

    def add(self, other: Found) -> None:
        self.annotations.extend(other.annotations)
        self.problems.extend(other.problems)
        self.remarks.extend(other.remarks)
        self.seen.update(other.seen)

    def usable(self, objects: Iterable[Callable[[], Object]]) -> list[Object]:
        """What the functions read of an image's objects; of one that cannot be used, what is wrong: the others can."""
        read = []
        for one in objects:
            try:
                read.append(one())
            except DataError as error:
                self.problems.append(str(error))
        return read


Item = object


def noted(remarks: Iterable[Remark]) -> list[str]:
    """A line for each kind of remark: how many there are, and the first."""
    kinds: dict[str, list[str]] = {}
    for remark in remarks:
        kinds.setdefault(remark.what, []).append(remark.where)
    return [f"{len(where)} {what}; the first: {where[0]}" for what, where in kinds.items()]


def attempted(attempt: Callable[..., Found], items: Sequence[Item]) -> Found:
    """What ``attempt`` finds of every item, together; an image that two records claim is nobody's."""
    found = Found()
    for result in attempt_all(attempt, items):
        found.add(Found(problems=[str(result)]) if isinstance(result, DataError) else result)
    return _claimed_once(found)


def of_image(image: Path, read: Callable[[Found], Annotation]) -> Found:
    """What ``read`` makes of an image; it may add problems and remarks to what it is given."""
    found = Found(seen={image})
    try:
        found.annotations.append(read(found))
    except DataError as error:
        found.problems.append(str(error))
    return found


def _claimed_once(found: Found) -> Found:
    claims: dict[str, list[Annotation]] = {}
    for annotation in found.annotations:
        claims.setdefault(os.path.realpath(annotation.image), []).append(annotation)
    twice = [claim for claim in claims.values() if len(claim) > 1]
    if not twice:
        return found
    # Which of them is right nobody can tell: the boxes of both on one image would be half of them false.
    dropped = {id(annotation) for claim in twice for annotation in claim}
    kept = [annotation for annotation in found.annotations if id(annotation) not in dropped]
    problems = [_claimants(claim) for claim in twice]
    return Found(kept, found.problems + problems, found.remarks, found.seen)


def _claimants(claim: Sequence[Annotation]) -> str:
    files = list(dict.fromkeys(annotation.file for annotation in claim))
    if len(files) == 1:
        return f"{files[0]}: {claim[0].image.name} is there {len(claim)} times: each image belongs to one record"
    return f"{' and '.join(map(str, files[:3]))} claim the same image, {claim[0].image.name}"


def corners(who: object, boxes: Sequence[Sequence[float]]) -> Corners:
    """Boxes as float32 [M,4]; DataError names one with a number that is too large for that."""
    with np.errstate(over="ignore"):
        found = np.array(boxes, np.float32).reshape(-1, 4)
    if not np.isfinite(found).all():
        number = int(np.flatnonzero(~np.isfinite(found).all(1))[0])
        raise DataError(f"{who}: object {number + 1}: a number in {list(boxes[number])} is too large")
    return found


def check_size(file: Path, image: Path, found: tuple[int, int], written: Sequence[object]) -> None:
    """DataError if the annotation is of an image of another size. Many tools write 0, or nothing: that says nothing."""
    try:
        # What is neither a number nor the text of one is refused here, and said below.
        width, height = (int(float(value or 0)) for value in written)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        raise DataError(f"{file}: its size {written[0]!r}×{written[1]!r} is not two numbers") from None
    if width > 0 and height > 0 and (width, height) != found:
        raise DataError(f"{file}: written for {width}×{height} pixels, but {image.name} has {found[0]}×{found[1]}")
