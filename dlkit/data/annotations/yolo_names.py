"""What goes with YOLO's label files: names of classes, and where the parts are (``data.yaml``, ``classes.txt``)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dlkit.bounded import BadFile, read_bytes
from dlkit.data.files import is_file, is_folder
from dlkit.data.parts import part_of
from dlkit.errors import DataError

YAML_FILES = ("data.yaml", "data.yml", "dataset.yaml", "dataset.yml")
NAME_FILES = ("classes.txt", "obj.names", "_darknet.labels", "predefined_classes.txt")
_LARGEST = 1 << 18
"""Bytes of such a file: COCO's has 3 kB. PyYAML takes a second for a quarter of a megabyte."""


@dataclass(frozen=True)
class YoloNames:
    """Names of classes by number, from ``file``.

    key_points  whether lines have key points after the box (``kpt_shape``)
    parts       folders of images by part, as the file says; empty: it says nothing
    absent      parts that it names and that are not there
    """

    file: Path
    classes: Mapping[int, str]
    key_points: bool = False
    parts: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)
    absent: tuple[str, ...] = ()


def names_for(folder: Path) -> YoloNames | None:
    """What a folder of labels or images, or the one above it, says of its classes; None: nothing."""
    for place in (folder, folder / "labels", folder.parent):
        for name in YAML_FILES:
            if is_file(place / name) and (found := read_yaml(place / name)):
                return found
        for name in NAME_FILES:
            if is_file(place / name):
                return _listed(place / name)
    return None


def read_yaml(file: Path) -> YoloNames | None:
    """A ``data.yaml``; None for a YAML file of something else. DataError names what is wrong with one."""
    import yaml  # 30 ms, for those who have such a file

    class Plain(yaml.BaseLoader):  # type: ignore[misc]  # PyYAML has no types
        """All values as they are written: YAML takes a class called "no" for False. Without aliases: twelve lines of
        them stand for more names than memory holds."""

        def compose_node(self, parent: object, index: object) -> object:
            if self.check_event(yaml.AliasEvent):
                raise yaml.composer.ComposerError(None, None, "aliases are not read", self.peek_event().start_mark)
            return super().compose_node(parent, index)

    try:
        content: object = yaml.load(_read(file), Plain)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise DataError(f"{file}: not readable as YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict) or "names" not in content:
        return None
    classes = _classes(file, content["names"])
    if (count := content.get("nc")) is not None and str(count).strip() != str(len(classes)):
        raise DataError(f"{file}: nc is {count!r}, but there are {len(classes)} names")
    parts, absent = _parts(file, content)
    return YoloNames(file, classes, bool(content.get("kpt_shape")), parts, absent)


def _read(file: Path) -> str:
    try:
        return read_bytes(file, _LARGEST).decode("utf-8-sig")
    except (OSError, BadFile, UnicodeDecodeError) as error:
        raise DataError(f"{file}: cannot be read: {error}") from error


def _listed(file: Path) -> YoloNames:
    """A name a line, from number 0 on; an empty line is a class without a name."""
    lines = [line.strip() for line in _read(file).splitlines()]
    return YoloNames(file, {number: line for number, line in enumerate(lines) if line})


def _classes(file: Path, names: object) -> dict[int, str]:
    if isinstance(names, list):
        named: dict[object, object] = dict(enumerate(names))
    elif isinstance(names, dict):
        named = names
    else:
        raise DataError(f"{file}: names is neither a list nor a table of numbers and names")
    found: dict[int, str] = {}
    for number, name in named.items():
        if not str(number).isdecimal() or not isinstance(name, str) or not name.strip():
            raise DataError(f"{file}: names: {number!r}: {name!r} is not a number and a name")
        found[int(str(number))] = name.strip()
    return found


def _parts(file: Path, content: Mapping[object, object]) -> tuple[dict[str, tuple[Path, ...]], tuple[str, ...]]:
    base = str(content.get("path") or "")
    parts: dict[str, tuple[Path, ...]] = {}
    absent: list[str] = []
    for key, value in content.items():
        part = part_of(str(key))
        entries = [entry for entry in (value if isinstance(value, list) else [value]) if isinstance(entry, str)]
        if part is None or not any(entry.strip() for entry in entries):
            continue
        folders = [_folder(file, base, entry.strip()) for entry in entries]
        if None in folders and part == "test":  # exported without a test, named all the same
            absent.append(f"{file}: {key}: {entries[folders.index(None)]!r}")
            continue
        if None in folders:
            raise DataError(
                f"{file}: {key}: there is no folder {entries[folders.index(None)]!r} below {file.parent}; write it "
                "relative to the file"
            )
        if part in parts:
            raise DataError(f"{file}: {key} is the {part} part a second time")
        parts[part] = tuple(folder for folder in folders if folder)
    return parts, tuple(absent)


def _folder(file: Path, base: str, entry: str) -> Path | None:
    """A folder that the file names, below the file's own: it may come from anybody, and must not lead elsewhere."""
    top = file.parent
    entry = entry.replace("\\", "/")
    # Roboflow writes ../train/images for what lies beside the file; others the path on their own machine before it.
    plain = entry.lstrip("./")
    for candidate in (top / base / entry, top / entry, top / plain):
        place = Path(os.path.normpath(candidate))
        if place.is_relative_to(os.path.normpath(top)) and is_folder(place):
            return place
    return None
