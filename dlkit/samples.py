"""Samples: what a model's work looks like, typed, so that terminal, TUI, report and HTTP can all show it.

A predictor returns them; the run stores images as PNG and the rest as JSON; ``load`` brings them back. Numbers are
plain Python numbers or NumPy arrays; nothing here knows torch. What could not be shown (a row that is too short, a
curve without as many values as there are x) is refused by name when it is saved; of what is stored already, the rest
can be read.
"""

from __future__ import annotations

import dataclasses
import io
import json
import math
import re
from collections.abc import Callable, Container, Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypedDict

import numpy as np
import numpy.typing as npt

from dlkit.bounded import DOCUMENT, BadFile, json_object, read_bytes
from dlkit.errors import PluginError

_NAME = re.compile(r"[^/\\\x00-\x1f\x7f]{1,100}\Z")
PIXELS = 1 << 27
"""Most values of a stored image, three a pixel: 24 images of 1 000 by 1 000 pixels have 72 million."""
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
    """Rows of texts that belong together: source, reference, what the model made of it."""

    kind = "pairs"
    headers: Sequence[str]
    rows: Sequence[Sequence[str]]

    def check(self) -> None:
        super().check()
        self._check_rows(self.headers, self.rows)


@dataclass(frozen=True, kw_only=True)
class Table(Sample):
    """Rows of cells; numbers stay numbers."""

    kind = "table"
    headers: Sequence[str]
    rows: Sequence[Sequence[str | float | int]]

    def check(self) -> None:
        super().check()
        self._check_rows(self.headers, self.rows)


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


KINDS: dict[str, type[Sample]] = {s.kind: s for s in (Images, Boxes, Text, Shaded, Pairs, Table, Curve, Scatter, Plane)}


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
        if isinstance(sample, (Images, Boxes, Plane)) and item.name in ("images", "image"):
            image = np.asarray(value)
            files[f"{stem}.png"] = _encoded_image(image)
            fields[item.name] = {"file": f"{stem}.png", "shape": list(image.shape)}
        else:
            fields[item.name] = _plain(value)
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
            fields[key] = _decoded_image(read, fields[key])
    if cls is Boxes:
        fields["boxes"] = [Box(**box) for box in fields["boxes"]]
    if cls is Plane:
        fields["marks"] = [Marks(**{**marks, "colour": tuple(marks["colour"])}) for marks in fields["marks"]]
    known = {item.name for item in dataclasses.fields(cls)}
    return cls(**{key: value for key, value in fields.items() if key in known})


def tile(images: npt.NDArray[np.uint8], columns: int, gap: int = 1) -> npt.NDArray[np.uint8]:
    """Images [N,H,W(,3)] as one picture, ``columns`` wide, ``gap`` mid-grey pixels between them."""
    count, height, width = images.shape[:3]
    rows = -(-count // columns)
    shape = (rows * (height + gap) - gap, min(columns, count) * (width + gap) - gap, *images.shape[3:])
    picture = np.full(shape, 128, np.uint8)
    for i, image in enumerate(images):
        y, x = i // columns * (height + gap), i % columns * (width + gap)
        picture[y : y + height, x : x + width] = image
    return picture


class StoredImage(TypedDict):
    """An image in a sample's JSON: the PNG beside it, and the shape that the PNG's rows are to have again."""

    file: str
    shape: list[int]


def _encoded_image(image: npt.NDArray[np.uint8]) -> bytes:
    """As a PNG; a stack [N,H,W(,3)] is laid one below the other, so that it comes back exactly."""
    from PIL import Image

    shape = list(image.shape)
    grey = image.ndim == 2 or (image.ndim == 3 and image.shape[-1] != 3)
    tall = image.reshape(-1, shape[-1]) if grey else image.reshape(-1, *shape[-2:])
    made = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(tall)).save(made, "PNG")
    return made.getvalue()


def _decoded_image(read: Callable[[str], bytes], stored: StoredImage) -> npt.NDArray[np.uint8]:
    from PIL import Image

    with Image.open(io.BytesIO(read(stored["file"])), formats=("PNG",)) as image:
        values = image.width * image.height * len(image.getbands())
        # Before it is unpacked: a PNG of one colour takes a thousandth of the memory that its pixels take.
        if values > PIXELS or values != math.prod(stored["shape"]):
            raise ValueError(f"{stored['file']}: {image.width} x {image.height} is not of shape {stored['shape']}")
        return np.asarray(image, np.uint8).reshape(stored["shape"])


def _plain(value: object) -> object:
    """Strict JSON: arrays and NumPy numbers as Python's, a non-finite number as the string nan, inf or -inf."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {item.name: _plain(getattr(value, item.name)) for item in dataclasses.fields(value)}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not np.isfinite(value):
        return str(value)
    return value
