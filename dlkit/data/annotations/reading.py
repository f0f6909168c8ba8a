"""Which kind of annotations a folder or file holds, and reading them."""

from __future__ import annotations

from pathlib import Path

from dlkit.data.annotations.coco import is_coco_name, read_coco
from dlkit.data.annotations.record import Found
from dlkit.data.annotations.voc import read_voc
from dlkit.data.files import visible_files
from dlkit.errors import DataError


def read_annotations(path: Path) -> Found:
    """A COCO file, or a folder: of VOC files (in it or deeper), else with one COCO file in it or in ``annotations/``.

    DataError if there is nothing of either kind.
    """
    if path.is_file():
        return read_coco(path)
    if not path.is_dir():
        raise DataError(f"{path}: no such file or folder")
    # VOC first: an XML file there says more than a JSON file, which may be any tool's.
    if visible_files(path, [".xml"]):
        return read_voc(path)
    files = json_files(path)
    if len(files) == 1:
        return read_coco(files[0])
    what = f"{len(files)} JSON files ({', '.join(p.name for p in files[:5])})" if files else "no annotations"
    raise DataError(f"{path}: holds {what}; it needs a VOC XML file an image, or one COCO JSON file")


def holds_annotations(folder: Path) -> bool:
    return any(folder.glob("*.json")) or bool(visible_files(folder, [".xml"]))


def json_files(folder: Path) -> list[Path]:
    """JSON files that may be COCO's: a folder's own, else those in ``annotations/``.

    Where some are called as tools call their annotations of objects (``instances_default.json``), those alone: others
    are of key points or captions.
    """
    for place in (folder, folder / "annotations"):
        if files := sorted(p for p in place.glob("*.json") if not p.name.startswith(".")):
            return [path for path in files if is_coco_name(path)] or files
    return []
