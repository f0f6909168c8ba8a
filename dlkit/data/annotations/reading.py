"""Which kind of annotations a folder or file holds, and reading them."""

from __future__ import annotations

from pathlib import Path

from dlkit.data.annotations.coco import is_coco_name, read_coco
from dlkit.data.annotations.record import Found
from dlkit.data.annotations.voc import read_voc
from dlkit.data.annotations.yolo import holds_yolo, read_yolo
from dlkit.data.annotations.yolo_names import read_yaml
from dlkit.data.files import visible_files
from dlkit.data.text.corpus import AUTO
from dlkit.errors import DataError


def read_annotations(path: Path, encoding: str = AUTO) -> Found:
    """A COCO file, YOLO's ``data.yaml``, or a folder: of VOC files (in it or deeper), else with one COCO file in it or
    in ``annotations/``, else of YOLO's label files. ``encoding`` is of XML files.

    DataError if there is nothing of these kinds.
    """
    if path.is_file() and path.suffix in (".yaml", ".yml"):
        return read_yolo(path.parent, read_yaml(path))
    if path.is_file():
        return read_coco(path)
    if not path.is_dir():
        raise DataError(f"{path}: no such file or folder")
    # VOC first: an XML file there says more than a JSON file, which may be any tool's.
    if visible_files(path, [".xml"]):
        return read_voc(path, encoding)
    files = json_files(path)
    if len(files) == 1:
        return read_coco(files[0])
    if not files and holds_yolo(path):
        return read_yolo(path)
    what = f"{len(files)} JSON files ({', '.join(p.name for p in files[:5])})" if files else "no annotations"
    raise DataError(f"{path}: holds {what}; it needs a VOC XML file an image, one COCO JSON file, or YOLO's labels")


def holds_annotations(folder: Path) -> bool:
    return any(folder.glob("*.json")) or bool(visible_files(folder, [".xml"])) or holds_yolo(folder)


def json_files(folder: Path) -> list[Path]:
    """JSON files that may be COCO's: a folder's own, else those in ``annotations/``.

    Where some are called as tools call their annotations of objects (``instances_default.json``), those alone: others
    are of key points or captions.
    """
    for place in (folder, folder / "annotations"):
        # notes.json lies beside the labels that Label Studio exports, and says nothing of boxes.
        others = [p for p in place.glob("*.json") if not p.name.startswith(".") and p.name != "notes.json"]
        if files := sorted(others):
            return [path for path in files if is_coco_name(path)] or files
    return []
