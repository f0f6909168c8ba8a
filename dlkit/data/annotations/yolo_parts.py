"""The parts of a set with YOLO's labels: as its ``data.yaml`` says, or folders of parts below ``images``."""

from __future__ import annotations

from pathlib import Path

from dlkit.data.annotations.record import Found, Remark
from dlkit.data.annotations.yolo import holds_yolo, read_yolo
from dlkit.data.annotations.yolo_names import YAML_FILES, YoloNames, names_for, read_yaml
from dlkit.data.files import is_file, visible_files
from dlkit.data.parts import part_folders
from dlkit.errors import DataError

_ABSENT = "parts of data.yaml are not there"


def yolo_parts(root: Path, file: Path | None = None) -> dict[str, Found]:
    """What lies in each part; empty where nothing says which is which, or the folder is of another kind. DataError for
    a ``file`` that somebody names and that says nothing."""
    if file is not None:
        if (names := read_yaml(file)) is None or "train" not in names.parts:
            raise DataError(f"{file}: it names no folder of training images (train: images/train) and no classes")
        return _read(names)
    if visible_files(root, [".xml"]):
        return {}
    names = next((found for name in YAML_FILES if is_file(root / name) and (found := read_yaml(root / name))), None)
    if names and "train" in names.parts and any(holds_yolo(folder) for folder in names.parts["train"]):
        return _read(names)
    if not (root / "images").is_dir() or not (root / "labels").is_dir():
        return {}
    folders = part_folders(root / "images")
    names = names_for(root)
    return {part: read_yolo(folder, names) for part, folder in folders.items()}


def _read(names: YoloNames) -> dict[str, Found]:
    parts: dict[str, Found] = {}
    for part, folders in names.parts.items():
        parts[part] = Found()
        for folder in folders:
            parts[part].add(read_yolo(folder, names))
    parts["train"].remarks.extend(Remark(_ABSENT, where) for where in names.absent)
    return parts
