"""Samples: what a model's work looks like, typed, so that terminal, TUI, report and HTTP can all show it.

A predictor returns them; the run stores images as PNG and the rest as JSON; ``load`` brings them back. Numbers are
plain Python numbers or NumPy arrays; nothing here knows torch. What could not be shown (a row that is too short, a
curve without as many values as there are x) is refused by name when it is saved; of what is stored already, the rest
can be read.
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Callable, Container, Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from dlkit.bounded import DOCUMENT, BadFile, json_object, read_bytes
from dlkit.errors import PluginError
from dlkit.sample_encoding import PIXELS as PIXELS
from dlkit.sample_encoding import decoded_image, encoded_image, plain
from dlkit.sample_encoding import tile as tile

_NAME = re.compile(r"[^/\\\x00-\x1f\x7f]{1,100}\Z")
_NAME_BYTES = 200
"""Of a name in UTF-8: file systems take 255, the step and the suffix with them."""


class SampleError(PluginError):
    """A sample that cannot be shown."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Base of all samples: ``name`` distinguishes those of one time, ``title`` is shown above it.

    Files are called by the name: 1 to 100 characters, 200 bytes at most, no ``/`` or ``\\`` among them.
    """

    kind: ClassVar[str] = ""

    name: str
    title: str = ""

    def check(self) -> None:
        """SampleError says what of it cannot be shown."""
        if not (isinstance(self.name, str) and _NAME.match(self.name)):
            raise SampleError(f"{self.kind} sample {self.name!r}: a name has 1 to 100 characters, no '/' or '\\'")
        if len(self.name.encode(errors="surrogatepass")) > _NAME_BYTES:
            self._refuse(f"a name has {_NAME_BYTES} bytes at most")

    def _refuse(self, what: str) -> None:
        raise SampleError(f"{self.kind} sample {self.name!r}: {what}")

    def _check_lengths(self, what: str, values: Sized, expected: int, of: str) -> None:
        if len(values) != expected:
            self._refuse(f"{len(values)} {what} for {expected} {of}")

    def _check_rows(self, headers: Sized, rows: Sequence[Sized]) -> None:
        wrong = next((i for i, row in enumerate(rows) if len(row) != len(headers)), None)
        if wrong is not None:
            self._refuse(f"row {wrong + 1} has {len(rows[wrong])} cells for {len(headers)} headers")

    def _check_pixels(self, image: npt.NDArray[np.uint8], axes: int, form: str) -> None:
        found = np.asarray(image)
        fits = found.ndim == axes or (found.ndim == axes + 1 and found.shape[-1] == 3)
        if found.dtype != np.uint8 or not fits:
            self._refuse(f"{found.dtype}{list(found.shape)} is not of the form {form}")


@dataclass(frozen=True, kw_only=True)
class Images(Sample):
    """A grid of images: uint8 [N,H,W] (grey) or [N,H,W,3] (RGB).

    ``captions`` stand beside them, ``good`` says which are right (mistakes are marked), ``columns``: the grid's width.
    """

    kind = "images"
    images: npt.NDArray[np.uint8]
    captions: Sequence[str] = ()
    good: Sequence[bool] = ()
    columns: int = 8

    def check(self) -> None:
        super().check()
        self._check_pixels(self.images, 3, "uint8 [N,H,W] or [N,H,W,3]")
        for what, values in (("captions", self.captions), ("marks in good", self.good)):
            if len(values):
                self._check_lengths(what, values, len(self.images), "images")


@dataclass(frozen=True, kw_only=True)
class Box:
    """A box in pixels, corners (x1, y1, x2, y2); ``role``: ``"true"``, ``"predicted"``, ``"missed"``, ``"false"``."""

    corners: tuple[float, float, float, float]
    label: str = ""
    score: float | None = None
    role: str = "predicted"


@dataclass(frozen=True, kw_only=True)
class Boxes(Sample):
    """Boxes on one image, uint8 [H,W] or [H,W,3]."""

    kind = "boxes"
    image: npt.NDArray[np.uint8]
    boxes: Sequence[Box]

    def check(self) -> None:
        super().check()
        self._check_pixels(self.image, 2, "uint8 [H,W] or [H,W,3]")


@dataclass(frozen=True, kw_only=True)
class Text(Sample):
    """Text that a model wrote; ``prompt`` is what it was given."""

    kind = "text"
    text: str
    prompt: str = ""


@dataclass(frozen=True, kw_only=True)
class Shaded(Sample):
    """Text in pieces, each coloured by a number: how surprising it was, what a unit was when it was read.

    ``limits`` are the numbers at the ends of the scale. If the first is below 0, both ways from 0 have a colour of
    their own, up to the larger of the two. What is not finite gets no colour. ``unit``: what the numbers are.
    """

    kind = "shaded"
    pieces: Sequence[str]
    values: Sequence[float]
    limits: tuple[float, float] = (0.0, 1.0)
    unit: str = ""

    def check(self) -> None:
        super().check()
        self._check_lengths("values", self.values, len(self.pieces), "pieces")
        if len(self.limits) != 2 or not all(map(math.isfinite, self.limits)):
            self._refuse(f"limits {list(self.limits)} are not two numbers")


@dataclass(frozen=True, kw_only=True)
class Pairs(Sample):
    """Rows of texts that belong together: source, reference, what the model made of it.

    ``compared``: two columns, counted from 0, in which the words that the other lacks are marked.
    """

    kind = "pairs"
    headers: Sequence[str]
    rows: Sequence[Sequence[str]]
    compared: Sequence[int] = ()

    def check(self) -> None:
        super().check()
        self._check_rows(self.headers, self.rows)
        if len(self.compared) not in (0, 2) or not all(0 <= place < len(self.headers) for place in self.compared):
            self._refuse(f"compared {list(self.compared)} are not two of {len(self.headers)} columns")


@dataclass(frozen=True, kw_only=True)
class Table(Sample):
    """Rows of cells; numbers stay numbers. Those of the columns ``shares``, counted from 0, are from 0 to 1, and shown
    as bars; a cell that is no number has none.
    """

    kind = "table"
    headers: Sequence[str]
    rows: Sequence[Sequence[str | float | int]]
    shares: Sequence[int] = ()

    def check(self) -> None:
        super().check()
        self._check_rows(self.headers, self.rows)
        if not all(0 <= place < len(self.headers) for place in self.shares):
            self._refuse(f"shares {list(self.shares)} are not all among {len(self.headers)} columns")
        for value in (row[place] for row in self.rows for place in self.shares):
            if not isinstance(value, str) and not 0 <= value <= 1:
                self._refuse(f"a share of {value!r} is not from 0 to 1")


def _none() -> npt.NDArray[np.uint8]:
    return np.zeros((0, 1, 1), np.uint8)


@dataclass(frozen=True, kw_only=True)
class ConfusionMatrix(Sample):
    """How often each class was taken for which: ``counts`` [K,K], rows true, columns predicted, K ``classes``.

    ``images``, uint8 [N,H,W] or [N,H,W,3], are examples; ``cells`` says for each which (true, predicted) it is,
    counted from 0, and ``captions`` are as those of ``Images``. Without images nothing can be opened.
    """

    kind = "confusion"
    classes: Sequence[str]
    counts: Sequence[Sequence[int]]
    images: npt.NDArray[np.uint8] = field(default_factory=_none)
    cells: Sequence[tuple[int, int]] = ()
    captions: Sequence[str] = ()

    def check(self) -> None:
        super().check()
        self._check_lengths("rows of counts", self.counts, len(self.classes), "classes")
        self._check_rows(self.classes, self.counts)
        self._check_pixels(self.images, 3, "uint8 [N,H,W] or [N,H,W,3]")
        self._check_lengths("cells", self.cells, len(self.images), "images")
        if len(self.captions):
            self._check_lengths("captions", self.captions, len(self.images), "images")
        for cell in self.cells:
            if len(cell) != 2 or not all(0 <= place < len(self.classes) for place in cell):
                self._refuse(f"cell {list(cell)} is not of {len(self.classes)} classes")


@dataclass(frozen=True, kw_only=True)
class Curve(Sample):
    """One or several lines over a common x: ``lines`` maps a label to as many y values as there are x."""

    kind = "curve"
    x: Sequence[float]
    lines: Mapping[str, Sequence[float]]
    x_label: str = ""
    y_label: str = ""

    def check(self) -> None:
        super().check()
        for label, values in self.lines.items():
            self._check_lengths(f"values of line {label!r}", values, len(self.x), "x")


@dataclass(frozen=True, kw_only=True)
class Scatter(Sample):
    """Points in the plane, with a label each where there are labels."""

    kind = "scatter"
    x: Sequence[float]
    y: Sequence[float]
    labels: Sequence[str] = ()
    x_label: str = ""
    y_label: str = ""

    def check(self) -> None:
        super().check()
        self._check_lengths("y", self.y, len(self.x), "x")
        if len(self.labels):
            self._check_lengths("labels", self.labels, len(self.x), "x")


SIGNS = ("dot", "ring", "cross")
"""What a point on a plane may look like."""


@dataclass(frozen=True, kw_only=True)
class Marks:
    """Points on a plane, in its units, or the corners of a path where they are ``joined``.

    ``colour`` is RGB, ``sign`` one of ``SIGNS``; ``name`` stands in the legend, empty: not there.
    """

    x: Sequence[float]
    y: Sequence[float]
    colour: tuple[int, int, int]
    name: str = ""
    sign: str = "dot"
    joined: bool = False


@dataclass(frozen=True, kw_only=True)
class Plane(Sample):
    """A rectangle of the plane: a colour at every place, and points and paths on it.

    ``image`` is uint8 [H,W,3] and fills it, the first row at the top, where y is highest; it is shown at whatever size
    there is room for, its sides in proportion. ``x_range`` and ``y_range`` are (lowest, highest), at its edges. Of
    ``marks``, paths lie below points, and the first points on top. ``note`` is a line below it.
    """

    kind = "plane"
    image: npt.NDArray[np.uint8]
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    marks: Sequence[Marks] = ()
    x_label: str = ""
    y_label: str = ""
    note: str = ""

    def check(self) -> None:
        super().check()
        if np.asarray(self.image).ndim != 3 or not np.asarray(self.image).size:
            self._refuse("its image is not of the form uint8 [H,W,3]")
        self._check_pixels(self.image, 2, "uint8 [H,W,3]")
        for axis, (low, high) in (("x", self.x_range), ("y", self.y_range)):
            if not (math.isfinite(low) and math.isfinite(high) and low < high):
                self._refuse(f"{axis}_range goes from a lower to a higher number, not from {low} to {high}")
        for marks in self.marks:
            self._check_lengths("y", marks.y, len(marks.x), "x")
            if marks.sign not in SIGNS:
                self._refuse(f"sign {marks.sign!r} is none of {', '.join(SIGNS)}")


KINDS: dict[str, type[Sample]] = {
    s.kind: s for s in (Images, Boxes, Text, Shaded, Pairs, Table, ConfusionMatrix, Curve, Scatter, Plane)
}


def checked(made: Iterable[object], who: str) -> list[Sample]:
    """What the component ``who`` made, to be looked at at one time; SampleError says what cannot be shown."""
    found: list[Sample] = []
    for sample in made:
        try:
            found.append(checked_one(sample, [other.name for other in found]))
        except SampleError as error:
            raise SampleError(f"{who}: {error}") from error
    return found


def checked_one(sample: object, taken: Container[str]) -> Sample:
    """The same of one sample beside others, whose names are ``taken``."""
    if not isinstance(sample, Sample):
        raise SampleError(f"a {type(sample).__name__} is not a dlkit.samples.Sample")
    sample.check()
    if sample.name in taken:
        raise SampleError(f"two samples are called {sample.name!r}")
    return sample


_PICTURED = (Images, Boxes, Plane, ConfusionMatrix)
"""Kinds with pixels, which are stored as PNG."""


def save(sample: Sample, folder: Path, stem: str) -> str:
    """Write a sample as ``STEM.json`` (and ``STEM.png``) into a folder; returns the JSON file's name.

    SampleError: it could not be shown.
    """
    for name, data in encoded(sample, stem).items():
        (folder / name).write_bytes(data)
    return f"{stem}.json"


def encoded(sample: Sample, stem: str) -> dict[str, bytes]:
    """The files that a sample is stored as, by name, ``STEM.json`` the last. SampleError: it could not be shown."""
    sample.check()
    files: dict[str, bytes] = {}
    fields: dict[str, object] = {"kind": sample.kind}
    for item in dataclasses.fields(sample):
        value = getattr(sample, item.name)
        if isinstance(sample, _PICTURED) and item.name in ("images", "image"):
            image = np.asarray(value)
            if not image.size and isinstance(sample, ConfusionMatrix):  # a PNG has pixels
                continue
            files[f"{stem}.png"] = encoded_image(image)
            fields[item.name] = {"file": f"{stem}.png", "shape": list(image.shape)}
        else:
            fields[item.name] = plain(value)
    return {**files, f"{stem}.json": json.dumps(fields, ensure_ascii=False).encode()}


def load(path: Path) -> Sample:
    """Read back what ``save`` wrote. Fields of a newer format are left out; an unknown kind is a ValueError."""

    def read(name: str) -> bytes:
        if Path(name).name != name:  # it may come from anybody, and name any file
            raise BadFile(f"{path}: its image {name!r} does not lie beside it")
        return read_bytes(path.parent / name, DOCUMENT)

    return decoded(path.name, read)


def decoded(name: str, read: Callable[[str], bytes]) -> Sample:
    """The sample of the JSON file ``name``; ``read`` gives it, and a file beside it.

    What a damaged one raises: OSError, KeyError, TypeError, ValueError.
    """
    fields: dict[str, Any] = json_object(read(name), name)
    cls = KINDS.get(str(fields.pop("kind", "")))
    if cls is None:
        raise ValueError(f"{name}: not a kind of sample that this version knows")
    for key in ("images", "image"):
        if isinstance(fields.get(key), dict):
            fields[key] = decoded_image(read, fields[key])
    if cls is Boxes:
        fields["boxes"] = [Box(**box) for box in fields["boxes"]]
    if cls is ConfusionMatrix:
        fields["cells"] = [(int(true), int(predicted)) for true, predicted in fields["cells"]]
    if cls is Plane:
        fields["marks"] = [Marks(**{**marks, "colour": tuple(marks["colour"])}) for marks in fields["marks"]]
    known = {item.name for item in dataclasses.fields(cls)}
    return cls(**{key: value for key, value in fields.items() if key in known})
