"""COCO: one JSON file with ``images``, ``annotations`` and ``categories`` (Lin et al. 2014, arXiv 1405.0312)."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PureWindowsPath
from typing import TypeAlias

from dlkit.bounded import parse_json, read_bytes
from dlkit.data.annotations.record import (
    Annotation,
    Found,
    Mark,
    Remark,
    attempted,
    check_size,
    corners,
    of_image,
)
from dlkit.data.images import image_size
from dlkit.data.names import Lookup
from dlkit.errors import DataError
from dlkit.json_types import Json, JsonObject

Key: TypeAlias = Json
"""What a COCO file identifies images and categories by: usually a number."""

LARGEST_COCO = 1 << 32
"""Bytes that are read of a COCO file: COCO's own has 470 million."""

_BACKSLASHES = "file names are written with backslashes, which are read as folders"
_LAST_PART = "images are not in the folder that their file name says: they were found by its last part"
_OTHER_SPELLING = "images are found under another spelling of their name (capitals, or composed letters)"
_OF_POLYGON = "annotations have no bbox: the box around their polygon is taken"
_ONE_CLASS = "names of categories belong to several ids, which are one class"


@dataclass(frozen=True)
class _Coco:
    """What reading an image of a file needs of the rest of it."""

    path: Path
    names: Mapping[Key, str]
    records: Mapping[Key, Sequence[tuple[int, JsonObject]]]
    places: Sequence[Path]
    lookup: Lookup

    def image(self, record: JsonObject) -> Found:
        """An image, and the objects on it that can be used."""
        remarks: list[Remark] = []
        file = self._file(str(record["file_name"]), remarks)
        found = of_image(file, lambda found: self._annotation(file, record, found))
        found.remarks.extend(remarks)
        return found

    def _annotation(self, file: Path, image: JsonObject, found: Found) -> Annotation:
        width, height = image_size(file)
        check_size(self.path, file, (width, height), (image.get("width"), image.get("height")))
        records = self.records[image["id"]]
        read = found.usable(partial(self._object, file, number, record, found) for number, record in records)
        boxes = corners("", [box for _, _, box in read])
        names, marks = tuple(name for name, _, _ in read), tuple(mark for _, mark, _ in read)
        return Annotation(file, self.path, width, height, boxes, names, marks)

    def _object(self, file: Path, number: int, record: JsonObject, found: Found) -> tuple[str, Mark, list[float]]:
        who = f"{self.path}: {file.name}: annotation {record.get('id', number)}"
        key = _record(who, record, ("category_id",))["category_id"]
        if key not in self.names:
            raise DataError(f"{who}: no category {key!r}")
        box, around = _corners_of(who, record)
        corners(who, [box])  # here, where it stops this object alone
        if around:
            found.remarks.append(Remark(_OF_POLYGON, who))
        return self.names[key], _mark(who, record), box

    def _file(self, written: str, remarks: list[Remark]) -> Path:
        """An image by its name in the file, which may not lead out of the folders that belong to it."""
        name = written
        # Only where no file is called so: elsewhere than on Windows a backslash is a letter like others.
        if "\\" in written and self._found(written) is None:
            name = written.replace("\\", "/")
            remarks.append(Remark(_BACKSLASHES, f"{self.path}: {written!r}"))
        # A COCO file comes from somewhere: it must not make us read what lies elsewhere on this machine.
        if Path(name).is_absolute() or ".." in Path(name).parts or PureWindowsPath(name).drive:
            raise DataError(f"{self.path}: file name {written!r} leads out of its folder")
        found = self._found(name)
        if found is None and (last := name.rpartition("/")[2]) not in ("", name):
            found = self._found(last)
            if found is not None:
                remarks.append(Remark(_LAST_PART, f"{self.path}: {written!r}"))
                name = last
        if found is None:
            looked = ", ".join(map(str, self.places))
            raise DataError(f"{self.path}: its image {written} is missing (looked in {looked})")
        if found.name != Path(name).name:
            remarks.append(Remark(_OTHER_SPELLING, f"{self.path}: {written!r} is {found.name!r}"))
        return found

    def _found(self, name: str) -> Path | None:
        return next((found for place in self.places if (found := self.lookup.find(place, name))), None)


def read_coco(path: Path, images: Path | None = None) -> Found:
    """A COCO file: ``annotations`` have a ``bbox`` [x, y, width, height], or a polygon, whose box is taken.

    Images are looked for in ``images``, else beside the file, in ``images/`` or a folder of the file's name there (that
    of ``instances_val2017.json`` is ``val2017``, or ``images/val2017``), and likewise one folder up; those without an
    annotation are images without objects. Groups (``iscrowd``) are marked. DataError if the file is not a COCO file at
    all, or if it gives an id twice: whatever refers to that would go to the wrong place.
    """
    content = _json(path)
    categories = _records(path, content, "categories", ("id", "name"))
    listed = _records(path, content, "images", ("id", "file_name"))
    annotations = content.get("annotations")
    if not isinstance(annotations, list):
        raise DataError(f"{path}: not a COCO file: it has no list 'annotations'")
    for what, records, label in (("category", categories, "name"), ("image", listed, "file_name")):
        _check_ids(path, what, records, label)
    _check_ids(path, "annotation", [one for one in annotations if isinstance(one, dict)], "image_id")
    names = {category["id"]: str(category["name"]) for category in categories}
    # Images first, so that those without an annotation are there too: they show what a background looks like.
    by_image: dict[Key, list[tuple[int, JsonObject]]] = {image["id"]: [] for image in listed}
    lost = Found(remarks=_shared_names(path, names))
    for number, record in enumerate(annotations):
        try:
            key, annotation = _of_image(path, number, record, by_image)
            by_image[key].append((number, annotation))
        except DataError as error:
            lost.problems.append(str(error))
    coco = _Coco(path, names, by_image, [images] if images else _places(path), Lookup())
    found = attempted(coco.image, listed)
    found.add(lost)
    return found


def is_coco_name(path: Path) -> bool:
    """Whether a JSON file is called as tools call their annotations: it is meant, whatever else lies beside it."""
    return path.name.startswith("instances_") or path.name == "_annotations.coco.json"


def _json(path: Path) -> JsonObject:
    try:
        data = read_bytes(path, LARGEST_COCO)
        # What Windows writes: a byte order mark, or UTF-16. JSON itself allows UTF-8 alone.
        if (encoding := json.detect_encoding(data)) != "utf-8":
            data = data.decode(encoding).encode()
        content = parse_json(data, constants=True)
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
    return [_record(f"{path}: {key}[{number}]", record, fields) for number, record in enumerate(records)]


def _record(who: str, record: Json, fields: Sequence[str]) -> JsonObject:
    """An entry that has these fields, each a number or text; DataError says which it lacks."""
    lacking = [f for f in fields if not isinstance(record, dict) or record.get(f) is None]
    if not isinstance(record, dict) or lacking:
        raise DataError(f"{who} has no {', '.join(lacking or fields)}")
    if any(not _is_plain(record[f]) for f in fields):
        raise DataError(f"{who} has no plain {'/'.join(fields)}")
    return record


def _is_plain(value: Json) -> bool:
    # True equals 1, and would find what has that id.
    return isinstance(value, str) or (isinstance(value, (int, float)) and not isinstance(value, bool))


def _check_ids(path: Path, what: str, records: Sequence[JsonObject], label: str) -> None:
    """DataError for an id that two entries have, with what they are."""
    first: dict[Key, JsonObject] = {}
    for record in records:
        key = record.get("id")
        if key is None or not _is_plain(key):
            continue
        if key in first:
            one, other = first[key].get(label), record.get(label)
            detail = f"({label} {one!r} and {other!r})"
            raise DataError(
                f"{path}: {what} id {key!r} occurs twice {detail}: nobody can tell which of them is meant. "
                "Files that were put together need new ids"
            )
        first[key] = record


def _shared_names(path: Path, names: Mapping[Key, str]) -> list[Remark]:
    by_name: dict[str, list[Key]] = {}
    for key, name in names.items():
        by_name.setdefault(name, []).append(key)
    return [
        Remark(_ONE_CLASS, f"{path}: {name!r} has ids {', '.join(map(repr, keys))}")
        for name, keys in by_name.items()
        if len(keys) > 1
    ]


def _of_image(path: Path, number: int, record: Json, images: Mapping[Key, object]) -> tuple[Key, JsonObject]:
    """An annotation and the id of the image that it is on; DataError: it says none, or none that is there."""
    annotation = _record(f"{path}: annotations[{number}]", record, ("image_id",))
    if (key := annotation["image_id"]) not in images:
        raise DataError(f"{path}: annotation {annotation.get('id', number)}: no image {key!r}")
    return key, annotation


def _corners_of(who: str, record: JsonObject) -> tuple[list[float], bool]:
    """x1, y1, x2, y2 of an annotation, and whether that is the box of its polygon."""
    box = record.get("bbox")
    # An empty list is what some tools write where they have a polygon alone.
    if box is None or box == []:
        return _around(who, record.get("segmentation")), True
    if not isinstance(box, list) or len(box) != 4 or not _are_finite(box):
        raise DataError(f"{who}: bbox {box!r} is not [x, y, width, height]")
    x, y, width, height = (float(value) for value in box)  # type: ignore[arg-type]  # they are numbers
    return [x, y, x + width, y + height], False


def _around(who: str, polygons: Json) -> list[float]:
    """The box around polygons, each [x, y, x, y, …]."""
    if isinstance(polygons, dict):
        raise DataError(f"{who} has no bbox, and its segmentation is a mask, whose box is not computed")
    if not isinstance(polygons, list) or not polygons:
        raise DataError(f"{who} has no bbox, and no polygon")
    # One polygon may stand by itself, without a list around it.
    rings = polygons if all(isinstance(ring, list) for ring in polygons) else [polygons]
    sound = [ring for ring in rings if isinstance(ring, list) and len(ring) >= 6 and not len(ring) % 2]
    if len(sound) < len(rings) or not all(map(_are_finite, sound)):
        raise DataError(f"{who} has no bbox, and its segmentation is not polygons of three points or more")
    points = [(float(x), float(y)) for ring in sound for x, y in zip(ring[::2], ring[1::2], strict=True)]  # type: ignore[arg-type]
    xs, ys = zip(*points, strict=True)
    return [min(xs), min(ys), max(xs), max(ys)]


def _are_finite(values: Iterable[Json]) -> bool:
    return all(isinstance(v, (int, float)) and not isinstance(v, bool) and math.isfinite(v) for v in values)


def _mark(who: str, record: JsonObject) -> Mark:
    # A group's box is around many objects; as one object it would teach and measure the wrong thing.
    value = record.get("iscrowd", 0)
    if str(value).strip().lower() in ("1", "1.0", "true"):
        return "crowd"
    if value is None or str(value).strip().lower() in ("", "0", "0.0", "false"):
        return ""
    raise DataError(f"{who}: iscrowd {value!r} is neither 0 nor 1")


def _places(path: Path) -> list[Path]:
    name = path.stem.removeprefix("instances_")
    inner = (".", "images", name, f"images/{name}")
    return [folder / place for folder in (path.parent, path.parent.parent) for place in inner]
