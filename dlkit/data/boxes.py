"""Boxes on images: which are sound (how they follow their image into a letter-box and back: ``letterbox``).

Boxes are float32 [M,4], corners (x1, y1, x2, y2) in pixels; an image's own area is from (0, 0) to (width, height).
Overlaps and suppression are torchvision.ops' business.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from dlkit.data.annotations.record import Annotation, Corners, Remark
from dlkit.data.letterbox import clip
from dlkit.errors import DataError, listed

Policy = Literal["error", "clip", "drop"]
"""What becomes of an invalid box: it stops everything; what is left of it inside the image is kept; it is left out."""

TOLERANCE = 1.0
"""Pixels that a box may reach beyond its image without being invalid: tools round, and VOC counts from 1."""


@dataclass
class Checked:
    """Annotations of which every box is sound, and what became of the others, each with its file."""

    annotations: list[Annotation] = field(default_factory=list)
    clipped: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    def notes(self) -> list[str]:
        """What to say of it: a line a kind of problem, the first files named."""
        kinds = (
            ("invalid boxes clipped to their image", self.clipped),
            ("invalid boxes left out", self.dropped),
            ("boxes of an unknown class left out", self.unknown),
        )
        return [listed(f"{len(found)} {what}", found) for what, found in kinds if found]


def check_boxes(
    annotations: Sequence[Annotation],
    *,
    policy: Policy = "error",
    classes: Sequence[str] | None = None,
    unknown: Literal["error", "drop"] = "error",
) -> Checked:
    """Annotations with sound boxes only: at least a pixel wide and high, inside their image, of a known class.

    With ``"clip"``, a box of which less than a pixel is inside is left out. ``classes`` None: all are known. DataError
    names file and box where the policy is ``"error"``: the first few of them, and how many there are. Of groups, what
    is not sound is left out whatever the policies: they are nothing to find.
    """
    checked = Checked()
    for annotation in annotations:
        checked.annotations.append(_checked(annotation, policy, classes, checked))
    # Clipped or dropped in silence, bad annotations are found when the figures are bad: errors unless told otherwise.
    if unknown == "error" and checked.unknown:
        known = ", ".join(classes or ())
        what = listed(f"{len(checked.unknown)} boxes of an unknown class (known: {known})", checked.unknown)
        raise DataError(f"{what}\ndataset.unknown = drop leaves them out")
    if policy == "error" and checked.dropped:
        what = listed(f"{len(checked.dropped)} invalid boxes", checked.dropped)
        raise DataError(f"{what}\ndataset.invalid = clip cuts them off at the image's edge, drop leaves them out")
    return checked


_REPEATED = "boxes are written again with the same class, and count once (dataset.repeated = keep: each time)"


def without_repeats(annotation: Annotation, remarks: list[Remark]) -> Annotation:
    """Each box once: two that are equal, of one class and mark, are one object that was written down twice."""
    # Of two objects in one place, a detector can find one: half of the truth would count as missed.
    first: dict[tuple[object, ...], int] = {}
    for i, key in enumerate(
        zip(annotation.names, annotation.marks, map(tuple, annotation.boxes.tolist()), strict=True)
    ):
        if first.setdefault(key, i) != i:
            box = ", ".join(f"{side:g}" for side in annotation.boxes[i])
            remarks.append(Remark(_REPEATED, f"{annotation.file}: {key[0]} ({box}) on {annotation.image.name}"))
    kept = list(first.values())
    if len(kept) == len(annotation):
        return annotation
    names, marks = tuple(annotation.names[i] for i in kept), tuple(annotation.marks[i] for i in kept)
    return replace(annotation, boxes=annotation.boxes[kept], names=names, marks=marks)


def class_names(annotations: Sequence[Annotation]) -> list[str]:
    """The classes that occur, sorted by name; not those of groups alone."""
    named = (pair for one in annotations for pair in zip(one.names, one.marks, strict=True))
    return sorted({name for name, mark in named if mark != "crowd"})


def _checked(annotation: Annotation, policy: Policy, classes: Sequence[str] | None, into: Checked) -> Annotation:
    inside = clip(annotation.boxes, annotation.width, annotation.height)
    kept = []
    for i, name in enumerate(annotation.names):
        where = f"{annotation.file}: box {i + 1} ({name}) on {annotation.image.name}"
        wrong = _wrong(annotation.boxes[i], inside[i], annotation)
        if annotation.marks[i] == "crowd":
            if (classes is None or name in classes) and _side(inside[i]) >= 1:
                kept.append(i)
        elif classes is not None and name not in classes:
            into.unknown.append(f"{where}: unknown class {name!r}")
        elif wrong and (policy != "clip" or _side(inside[i]) < 1):
            into.dropped.append(f"{where}: {wrong}")
        else:
            kept.append(i)
            if wrong:
                into.clipped.append(f"{where}: {wrong}")
    names, marks = tuple(annotation.names[i] for i in kept), tuple(annotation.marks[i] for i in kept)
    return replace(annotation, boxes=inside[kept], names=names, marks=marks)


def _wrong(box: Corners, inside: Corners, annotation: Annotation) -> str | None:
    """What is wrong with a box, in words."""
    x1, y1, x2, y2 = (f"{value:g}" for value in box.tolist())
    corners = f"({x1}, {y1})–({x2}, {y2})"
    if box[2] < box[0] or box[3] < box[1]:
        return f"{corners} is inverted"
    # Less than a pixel has no area to measure overlaps by.
    if _side(box) < 1:
        return f"{corners} is less than a pixel wide or high"
    if _side(inside) < 1 or float(np.abs(box - inside).max()) > TOLERANCE:
        return f"{corners} is outside the image of {annotation.width}×{annotation.height}"
    return None


def _side(box: Corners) -> float:
    return float(min(box[2] - box[0], box[3] - box[1]))
