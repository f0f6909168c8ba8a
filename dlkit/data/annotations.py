"""Images with boxes on them, as people annotate them: Pascal VOC (an XML file an image) and COCO (one JSON file).

Reading stops at nothing: what is wrong comes back as text that names the file, and the caller stops, leaves it out or
counts it. Boxes are as written here; ``dlkit.data.boxes`` says which of them are sound.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias
from xml.etree import ElementTree

import numpy as np
import numpy.typing as npt

from dlkit.bounded import parse_json, read_bytes
from dlkit.data.files import is_file, visible_files
from dlkit.data.images import SUFFIXES, image_size
from dlkit.data.unusable import attempt_all
from dlkit.errors import DataError
from dlkit.json_types import Json, JsonObject

Corners = npt.NDArray[np.float32]
Key: TypeAlias = Json
"""What a COCO file identifies images and categories by: usually a number."""

Mark = Literal["", "difficult", "crowd"]
"""Of an object: VOC's ``difficult``, hard to make out, or COCO's ``iscrowd``, a box around a group."""

LARGEST_XML, LARGEST_COCO = 1 << 22, 1 << 32
"""Bytes that are read of a VOC file, where a box takes some 300, and of a COCO file: COCO's own has 470 million."""
IMAGE_FOLDERS = (".", "JPEGImages", "images", "../JPEGImages", "../images")
"""Where a VOC file's image is looked for, from the file's own folder; in this order."""


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


@dataclass(frozen=True)
class Found:
    """What was read: sound annotations in the order of their files, and what could not be used, each with its file."""

    annotations: list[Annotation] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def __add__(self, other: Found) -> Found:
        return Found(self.annotations + other.annotations, self.problems + other.problems)


def read_annotations(path: Path) -> Found:
    """A COCO file, or a folder: of VOC files (in it or deeper), else with one COCO file in it.

    DataError if there is nothing of either kind.
    """
    if path.is_file():
        return read_coco(path)
    if not path.is_dir():
        raise DataError(f"{path}: no such file or folder")
    # VOC first: an XML file there says more than a JSON file, which may be any tool's.
    if visible_files(path, [".xml"]):
        return read_voc(path)
    files = sorted(p for p in path.glob("*.json") if not p.name.startswith("."))
    if len(files) == 1:
        return read_coco(files[0])
    what = f"{len(files)} JSON files ({', '.join(p.name for p in files[:5])})" if files else "no annotations"
    raise DataError(f"{path}: holds {what}; it needs a VOC XML file an image, or one COCO JSON file")


def read_voc(folder: Path) -> Found:
    """Every VOC XML file in a folder and below it, sorted by path (Everingham et al. 2010, the VOC2012 devkit).

    An image is looked for by the name in ``filename``, then by the XML file's own, beside it and in ``IMAGE_FOLDERS``.
    Coordinates are taken as written; that VOC's own files count pixels from 1 shifts a box by one pixel at most.
    """
    files = visible_files(folder, [".xml"])
    if not files:
        raise DataError(f"{folder}: holds no VOC XML files")
    return _collected(attempt_all(_voc_file, files))


def read_coco(path: Path, images: Path | None = None) -> Found:
    """A COCO file (Lin et al. 2014): ``images``, ``annotations`` with ``bbox`` [x, y, width, height], ``categories``.

    Images are looked for in ``images``, else beside the file, in ``images/`` or a folder of the file's name there (that
    of ``instances_val2017.json`` is ``val2017``), and likewise one folder up; those without an annotation are images
    without objects. Groups (``iscrowd``) are marked. DataError if the file is not a COCO file at all.
    """
    content = _json(path)
    names = {
        category["id"]: str(category["name"]) for category in _records(path, content, "categories", ("id", "name"))
    }
    listed = _records(path, content, "images", ("id", "file_name"))
    # Images first, so that those without an annotation are there too: they show what a background looks like.
    boxes: dict[Key, list[JsonObject]] = {image["id"]: [] for image in listed}
    problems = []
    for number, record in enumerate(_records(path, content, "annotations", ("image_id", "category_id", "bbox"))):
        if record["image_id"] not in boxes:
            problems.append(f"{path}: annotation {record.get('id', number)}: no image {record['image_id']!r}")
        else:
            boxes[record["image_id"]].append(record)
    places = [images] if images else _coco_places(path)

    def attempt(image: JsonObject) -> Annotation:
        return _coco_image(path, image, boxes[image["id"]], names, places)

    return _collected(attempt_all(attempt, listed)) + Found([], problems)


def _collected(results: Sequence[Annotation | DataError]) -> Found:
    sound = [result for result in results if isinstance(result, Annotation)]
    return Found(sound, [str(result) for result in results if isinstance(result, DataError)])


def _voc_file(file: Path) -> Annotation:
    try:
        root = ElementTree.fromstring(read_bytes(file, LARGEST_XML))
    except (ElementTree.ParseError, OSError, ValueError, LookupError) as error:  # LookupError: an unknown encoding
        raise DataError(f"{file}: not readable as XML: {error}") from error
    if root.tag != "annotation":
        raise DataError(f"{file}: its root is <{root.tag}>, not VOC's <annotation>")
    image = _voc_image(file, root.findtext("filename", "").strip())
    width, height = image_size(image)
    # Boxes of an image of another size would be read as sound, and be somewhere else.
    _compare(file, image, (width, height), (root.findtext("size/width"), root.findtext("size/height")))
    boxes: list[list[float]] = []
    names: list[str] = []
    marks: list[Mark] = []
    for number, element in enumerate(root.iter("object"), 1):
        name = element.findtext("name", "").strip()
        if not name:
            raise DataError(f"{file}: object {number} has no <name>")
        names.append(name)
        marks.append("difficult" if element.findtext("difficult", "").strip() == "1" else "")
        boxes.append([_number(file, element, number, key) for key in ("xmin", "ymin", "xmax", "ymax")])
    return Annotation(image, file, width, height, _corners(file, boxes), tuple(names), tuple(marks))


def _corners(who: object, boxes: Sequence[Sequence[float]]) -> Corners:
    """Boxes as float32 [M,4]; DataError names one with a number that is too large for that."""
    with np.errstate(over="ignore"):
        corners = np.array(boxes, np.float32).reshape(-1, 4)
    if not np.isfinite(corners).all():
        number = int(np.flatnonzero(~np.isfinite(corners).all(1))[0])
        raise DataError(f"{who}: object {number + 1}: a number in {list(boxes[number])} is too large")
    return corners


def _number(file: Path, element: ElementTree.Element, number: int, key: str) -> float:
    text = element.findtext(f"bndbox/{key}")
    try:
        value = float(text or "")
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DataError(
            f"{file}: object {number}: <{key}> is {'missing' if text is None else repr(text)}, not a number"
        )
    return value


def _voc_image(file: Path, filename: str) -> Path:
    """The image of a VOC file. Of ``filename`` its last part alone counts: the rest is of another machine."""
    named = filename.replace("\\", "/").rpartition("/")[2]
    # First by the name in the file, in every place: that is what the file says. Its own name is a guess.
    for place in IMAGE_FOLDERS:
        if named and is_file(file.parent / place / named):
            return (file.parent / place / named).resolve() if ".." in place else file.parent / place / named
    for place in IMAGE_FOLDERS:
        folder = file.parent / place
        found = [p for suffix in sorted(SUFFIXES) for p in (folder / f"{file.stem}{s}" for s in _cases(suffix))]
        there = next((p for p in found if is_file(p)), None)
        if there:
            return there.resolve() if ".." in place else there
    raise DataError(f"{file}: its image {named or file.stem + '.*'} is missing (looked in {', '.join(IMAGE_FOLDERS)})")


def _cases(suffix: str) -> tuple[str, str]:
    return suffix, suffix.upper()


def _compare(file: Path, image: Path, found: tuple[int, int], written: Sequence[Json]) -> None:
    """DataError if the annotation is of an image of another size. Many tools write 0, or nothing: that says nothing."""
    try:
        # What is neither a number nor the text of one is refused here, and said below.
        width, height = (int(float(value or 0)) for value in written)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        raise DataError(f"{file}: its size {written[0]!r}×{written[1]!r} is not two numbers") from None
    if width > 0 and height > 0 and (width, height) != found:
        raise DataError(f"{file}: written for {width}×{height} pixels, but {image.name} has {found[0]}×{found[1]}")


def _json(path: Path) -> JsonObject:
    try:
        content = parse_json(read_bytes(path, LARGEST_COCO), constants=True)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: not readable as JSON: {error}") from error
    if not isinstance(content, dict):
        raise DataError(f"{path}: a COCO file is a JSON object, not a {type(content).__name__}")
    return content


def _records(path: Path, content: JsonObject, key: str, fields: Sequence[str]) -> list[JsonObject]:
    """One of a COCO file's lists, its entries having these fields; DataError names the entry that has not."""
    records = content.get(key)
    if not isinstance(records, list):
        raise DataError(f"{path}: not a COCO file: it has no list {key!r}")
    found: list[JsonObject] = []
    for number, record in enumerate(records):
        lacking = [f for f in fields if not isinstance(record, dict) or isinstance(record.get(f), (dict, type(None)))]
        if not isinstance(record, dict) or lacking or any(isinstance(record[f], list) for f in fields if f != "bbox"):
            raise DataError(f"{path}: {key}[{number}] has no {', '.join(lacking) or 'plain ' + '/'.join(fields)}")
        found.append(record)
    return found


def _coco_image(
    path: Path, image: JsonObject, records: Sequence[JsonObject], names: Mapping[Key, str], places: Sequence[Path]
) -> Annotation:
    file = _coco_file(path, str(image["file_name"]), places)
    width, height = image_size(file)
    _compare(path, file, (width, height), (image.get("width"), image.get("height")))
    boxes = [list(_coco_box(path, file, record)) for record in records]
    classes = []
    for record in records:
        if record["category_id"] not in names:
            raise DataError(f"{path}: {file.name}: no category {record['category_id']!r}")
        classes.append(names[record["category_id"]])
    corners = _corners(f"{path}: {file.name}", boxes)
    # A group's box is around many objects; as one object it would teach and measure the wrong thing.
    marks: tuple[Mark, ...] = tuple("crowd" if record.get("iscrowd") else "" for record in records)
    return Annotation(file, path, width, height, corners, tuple(classes), marks)


def _coco_places(path: Path) -> list[Path]:
    name = path.stem.removeprefix("instances_")
    return [folder / inner for folder in (path.parent, path.parent.parent) for inner in (".", "images", name)]


def _coco_file(path: Path, name: str, places: Sequence[Path]) -> Path:
    """An image by its name in a COCO file, which may not lead out of the folders that belong to it."""
    # A COCO file comes from somewhere: it must not make us read what lies elsewhere on this machine.
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise DataError(f"{path}: file name {name!r} leads out of its folder")
    for place in places:
        if is_file(place / name):
            return place / name
    raise DataError(f"{path}: its image {name} is missing (looked in {', '.join(map(str, places))})")


def _coco_box(path: Path, file: Path, record: JsonObject) -> Iterator[float]:
    box = record["bbox"]
    numbers = [value for value in box if isinstance(value, (int, float))] if isinstance(box, list) else []
    if not isinstance(box, list) or not len(box) == len(numbers) == 4 or not all(map(math.isfinite, numbers)):
        raise DataError(f"{path}: {file.name}: bbox {box!r} is not [x, y, width, height]")
    x, y, width, height = numbers
    return iter((x, y, x + width, y + height))
