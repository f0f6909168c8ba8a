"""Annotations of any content, written in any of the ways that tools have: read as they were drawn; and with one fault:
refused by name, or, where that is skipped, all but what is named. Never silence."""

from __future__ import annotations

import io
import json
import tempfile
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dlkit.data.annotated import Division
from dlkit.data.annotated_images import ReadRules, SoundParts, read_sound
from dlkit.errors import DataError

WIDTH, HEIGHT = 16, 12
NAMES = ["cat", "pièce", "犬", "किताब", "no", "7", "a b", "Ångström"]
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "gb18030", "utf-16-le"]
MEMORY = Path("/dev/shm")

Object = tuple[str, tuple[int, int, int, int], str]
"""A class, corners in pixels, a mark."""


def png() -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (WIDTH, HEIGHT)).save(buffer, "PNG")
    return buffer.getvalue()


PNG = png()


@dataclass
class Drawn:
    """Objects by image; how they are written; the files that must be named where a fault is."""

    images: dict[str, list[Object]]
    style: dict[str, Any]
    root: Path = field(default_factory=Path)

    @property
    def count(self) -> int:
        return sum(map(len, self.images.values()))


@st.composite
def objects(draw: st.DrawFn, marks: tuple[str, ...]) -> Object:
    x1, y1 = draw(st.integers(0, WIDTH - 2)), draw(st.integers(0, HEIGHT - 2))
    corners = (x1, y1, draw(st.integers(x1 + 1, WIDTH)), draw(st.integers(y1 + 1, HEIGHT)))
    return draw(st.sampled_from(NAMES)), corners, draw(st.sampled_from(marks))


@st.composite
def drawn(draw: st.DrawFn, kind: str) -> Drawn:
    marks = {"voc": ("", "difficult"), "coco": ("", "crowd"), "yolo": ("",)}[kind]
    # Each box once: what is written twice is a style.
    listed = st.lists(objects(marks), min_size=1, max_size=3, unique_by=lambda one: one[1])
    names = ["a", "b", "c", "été", *draw(st.sampled_from([[], ["x y"], ["写真"]]))]
    images = {name: draw(listed) for name in names}
    flags = ("nfd", "repeat", "windows", "extra", "polygons", "layout", "sizeless", "other")
    style: dict[str, Any] = {flag: draw(st.booleans()) for flag in flags}
    return Drawn(images, {**style, "encoding": draw(st.sampled_from(ENCODINGS)), "first": draw(st.integers(-1, 3))})


def formed(text: str, style: dict[str, Any]) -> str:
    return unicodedata.normalize("NFD" if style["nfd"] else "NFC", text)


def written_objects(found: list[Object], style: dict[str, Any]) -> list[Object]:
    return [*found, found[0]] if style["repeat"] else found


def write_voc(drawn: Drawn, root: Path) -> None:
    style = drawn.style
    files, images = (root / "Annotations", root / "JPEGImages") if style["layout"] else (root, root)
    for folder in (files, images):
        folder.mkdir(exist_ok=True)
    for name, found in drawn.images.items():
        (images / f"{name}.png").write_bytes(PNG)
        boxes = "".join(
            f"<object><name>{formed(label, style)}</name>"
            + (f"<difficult>{int(mark == 'difficult')}</difficult>" if mark or style["extra"] else "")
            + f"<bndbox><xmin>{x1}</xmin><ymin>{y1}</ymin><xmax>{x2}.0</xmax><ymax>{y2}</ymax></bndbox></object>"
            for label, (x1, y1, x2, y2), mark in written_objects(found, style)
        )
        size = "" if style["sizeless"] else f"<size><width>{WIDTH}</width><height>{HEIGHT}</height></size>"
        filename = f"C:\\photos\\{formed(name, style)}.png" if style["windows"] else f"{formed(name, style)}.png"
        head = f'<?xml version="1.0" encoding="{style["encoding"].removesuffix("-sig")}"?>'
        xml = f"{head}<annotation><filename>{filename}</filename>{size}{boxes}</annotation>"
        (files / f"{name}.xml").write_bytes(xml.encode(style["encoding"]))


def write_coco(drawn: Drawn, root: Path) -> None:
    style = drawn.style
    images = root / "images" / "default" if style["layout"] else root
    file = root / "annotations" / "instances_default.json" if style["layout"] else root / "all.json"
    for folder in (images, file.parent):
        folder.mkdir(parents=True, exist_ok=True)
    key: Callable[[int], object] = (lambda n: f"id{n}") if style["other"] else (lambda n: n + style["first"])
    classes = sorted({label for found in drawn.images.values() for label, _, _ in found})
    content: dict[str, Any] = {"images": [], "annotations": [], "categories": []}
    content["categories"] = [{"id": key(n), "name": formed(name, style)} for n, name in enumerate(classes)]
    for number, (name, found) in enumerate(drawn.images.items()):
        (images / f"{name}.png").write_bytes(PNG)
        said = f"photos\\{formed(name, style)}.png" if style["windows"] else f"{formed(name, style)}.png"
        image = {"id": key(number), "file_name": said}
        content["images"].append(image if style["sizeless"] else {**image, "width": WIDTH, "height": HEIGHT})
        for label, (x1, y1, x2, y2), mark in written_objects(found, style):
            box: dict[str, Any] = {"bbox": [x1, y1, x2 - x1, y2 - y1]}
            if style["polygons"]:
                box = {"segmentation": [[x1, y1, x2, y1, x2, y2, x1, y2]]}
            crowd = {"iscrowd": int(mark == "crowd")} if mark or style["extra"] else {}
            record = {"image_id": key(number), "category_id": key(classes.index(label)), **box, **crowd}
            content["annotations"].append({"id": len(content["annotations"]), **record})
    encoding = style["encoding"] if style["encoding"] != "gb18030" else "utf-8"
    file.write_bytes(json.dumps(content, ensure_ascii=style["extra"]).encode(encoding))


def write_yolo(drawn: Drawn, root: Path) -> None:
    style = drawn.style
    images, labels = (root / "images", root / "labels") if style["layout"] else (root, root)
    for folder in (images, labels):
        folder.mkdir(exist_ok=True)
    if style["other"]:
        names = "".join(f"  {n}: {json.dumps(formed(name, style))}\n" for n, name in enumerate(NAMES))
        (root / "data.yaml").write_text(f"names:\n{names}nc: {len(NAMES)}\n", encoding="utf-8")
    else:
        mark = "\ufeff" if style["extra"] else ""
        (root / "classes.txt").write_text(mark + "\n".join(formed(n, style) for n in NAMES), encoding="utf-8")
    for name, found in drawn.images.items():
        (images / f"{name}.png").write_bytes(PNG)
        lines = []
        for label, (x1, y1, x2, y2), _ in written_objects(found, style):
            box = [(x1 + x2) / 2 / WIDTH, (y1 + y2) / 2 / HEIGHT, (x2 - x1) / WIDTH, (y2 - y1) / HEIGHT]
            if style["polygons"]:
                box = [x1 / WIDTH, y1 / HEIGHT, x2 / WIDTH, y1 / HEIGHT, x2 / WIDTH, y2 / HEIGHT]
            lines.append(" ".join([str(NAMES.index(label)), *(f"{value:.8f}" for value in box)]))
        end = "\r\n" if style["windows"] else "\n"
        (labels / f"{name}.txt").write_bytes(end.join([*lines, ""]).encode())


WRITERS = {"voc": write_voc, "coco": write_coco, "yolo": write_yolo}


def read(root: Path, **rules: Any) -> SoundParts:
    return read_sound(ReadRules(root, Division(val_fraction=0.3, test_fraction=0), **rules))


def told(found: SoundParts) -> dict[str, list[Object]]:
    """What was read, in the terms of what was drawn."""
    images: dict[str, list[Object]] = {}
    for one in (one for part in found.parts.values() for one in part):
        boxes = [tuple(round(side) for side in box) for box in one.boxes.tolist()]
        assert abs(one.boxes - one.boxes.round()).max(initial=0) < 1e-4
        images[one.image.stem] = sorted(zip(one.names, boxes, one.marks, strict=True))
    return images


def check_kept(kind: str, found: Drawn) -> None:
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        root = Path(folder)
        WRITERS[kind](found, root)
        classes = [unicodedata.normalize("NFC", name) for name in NAMES]
        # Named: a class that only the validation part has could not be learnt, and would be refused.
        sound = read(root, classes=classes)
        assert told(sound) == {name: sorted(of) for name, of in found.images.items()}
        notes = "\n".join(sound.notes)
        assert (f"{len(found.images)} boxes are written again" in notes) == found.style["repeat"]
        if kind != "voc" and found.style["polygons"]:
            assert "polygon" in notes
        assert "cannot be used" not in notes


@pytest.mark.parametrize("kind", WRITERS)
def test_what_was_drawn_is_read(kind: str) -> None:
    @given(drawn(kind))
    @settings(max_examples=25, deadline=None)
    def every(found: Drawn) -> None:
        check_kept(kind, found)

    every()


@pytest.mark.slow
@pytest.mark.parametrize("kind", WRITERS)
def test_much_that_was_drawn_is_read(kind: str) -> None:
    @given(drawn(kind))
    @settings(max_examples=350, deadline=None)
    def every(found: Drawn) -> None:
        check_kept(kind, found)

    every()


# Faults: each changes the files so that one object, one image or the whole set cannot be used.
COCO_FAULTS: dict[str, tuple[Callable[[dict[str, Any]], object], int]] = {
    "image id twice": (lambda c: c["images"][1].update(id=c["images"][0]["id"]), -1),
    "category id twice": (lambda c: c["categories"].append({**c["categories"][0], "name": "other"}), -1),
    "annotation id twice": (lambda c: c["annotations"][1].update(id=c["annotations"][0]["id"]), -1),
    "no list": (lambda c: c.pop("annotations"), -1),
    "unknown category": (lambda c: c["annotations"][0].update(category_id="none"), 1),
    "unknown image": (lambda c: c["annotations"][0].update(image_id="none"), 1),
    "no box": (lambda c: [c["annotations"][0].pop(key, None) for key in ("bbox", "segmentation")], 1),
    "half a box": (lambda c: c["annotations"][0].update(bbox=[1, 2]), 1),
    "no number": (lambda c: c["annotations"][0].update(bbox=[1, 2, 3, float("nan")]), 1),
    "no flag": (lambda c: c["annotations"][0].update(iscrowd="maybe"), 1),
    "not a record": (lambda c: c["annotations"].__setitem__(0, 7), 1),
    "missing image": (lambda c: c["images"][0].update(file_name="nowhere.png"), 0),
    "other size": (lambda c: c["images"][0].update(width=99, height=12), 0),
    "leads out": (lambda c: c["images"][0].update(file_name="../a.png"), 0),
    "image twice": (lambda c: c["images"].append({**c["images"][0], "id": "again"}), 0),
}
"""What is done to a COCO file, and how many objects are lost by it; 0: all of the first image; −1: the set."""
VOC_FAULTS: dict[str, tuple[Callable[[str], str], int]] = {
    "not closed": (lambda x: x[:-3], 0),
    "other root": (lambda x: x.replace("annotation>", "html>"), 0),
    "document type": (lambda x: "<!DOCTYPE a>" + x, 0),
    "missing image": (lambda x: x.replace("a.png", "nowhere.png"), 0),
    "other size": (
        lambda x: x.replace("</filename>", "</filename><size><width>9</width><height>9</height></size>", 1),
        0,
    ),
    "of another image": (lambda x: x.replace("a.png", "b.png"), 0),
    "no number": (lambda x: x.replace("<xmin>", "<xmin>x", 1), 1),
    "no corner": (lambda x: x.replace("xmin>", "left>", 2), 1),
    "no name": (lambda x: x[: x.index("<name>")] + "<name></name>" + x[x.index("</name>") + 7 :], 1),
    "no flag": (lambda x: x.replace("</name>", "</name><difficult>9</difficult>", 1), 1),
}
YOLO_FAULTS: dict[str, tuple[Callable[[str], str], int]] = {
    "no number": (lambda x: x.replace(" ", " x", 1), 1),
    "no class": (lambda x: f"x{x}", 1),
    "unnamed class": (lambda x: f"9{x}", 1),
    "pixels": (lambda x: "0 8 6 4 3" + x[x.index("\n") :], 1),
    "three numbers": (lambda x: " ".join(x.split("\n")[0].split()[:3]) + x[x.index("\n") :], 1),
}


def break_coco(root: Path, fault: str) -> int:
    change, lost = COCO_FAULTS[fault]
    content = json.loads((root / "all.json").read_bytes())
    change(content)
    (root / "all.json").write_text(json.dumps(content))
    return lost


def break_voc(root: Path, fault: str) -> int:
    change, lost = VOC_FAULTS[fault]
    text = (root / "a.xml").read_text()
    (root / "a.xml").write_text(change(text))
    if fault == "missing image":
        (root / "a.png").unlink()
    return lost


def break_yolo(root: Path, fault: str) -> int:
    change, lost = YOLO_FAULTS[fault]
    text = (root / "a.txt").read_text()
    (root / "a.txt").write_text(change(text))
    return lost


BREAKS: dict[str, tuple[Callable[[Path, str], int], list[str]]] = {
    "coco": (break_coco, list(COCO_FAULTS)),
    "voc": (break_voc, list(VOC_FAULTS)),
    "yolo": (break_yolo, list(YOLO_FAULTS)),
}
PLAIN = {"nfd": False, "repeat": False, "windows": False, "layout": False, "sizeless": True, "encoding": "utf-8"}
NAMED = {"coco": r"all\.json", "voc": r"a\.xml", "yolo": r"a\.txt"}


def check_broken(kind: str, found: Drawn, fault: str) -> None:
    found.style |= {**PLAIN, "polygons": False, "extra": False}
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        root = Path(folder)
        WRITERS[kind](found, root)
        lost = BREAKS[kind][0](root, fault)
        with pytest.raises(DataError, match=NAMED[kind]):
            read(root, classes=NAMES)
        if lost < 0:
            with pytest.raises(DataError, match=NAMED[kind]):
                read(root, classes=NAMES, skip=True)
            return
        sound = read(root, classes=NAMES, skip=True)
        images = dict(found.images)
        if not lost:
            del images["a"]
        if fault == "of another image":
            del images["b"]
        if fault in ("missing image", "other size", "leads out") and kind == "coco":
            assert len(told(sound)) == len(images)
        kept = sum(map(len, told(sound).values()))
        assert kept == sum(map(len, images.values())) - lost
        # Every object that is gone is spoken of.
        said = [note for note in sound.notes if "cannot be used" in note]
        assert len(said) == 1 and "".join(said).startswith("1 annotated images, or objects on them")


@pytest.mark.parametrize("kind", BREAKS)
def test_a_fault_is_refused_by_name_and_nothing_else_is_lost(kind: str) -> None:
    @given(drawn(kind), st.sampled_from(BREAKS[kind][1]))
    @settings(max_examples=30, deadline=None)
    def every(found: Drawn, fault: str) -> None:
        check_broken(kind, found, fault)

    every()


@pytest.mark.slow
@pytest.mark.parametrize("kind", BREAKS)
def test_many_faults_are_refused_by_name(kind: str) -> None:
    @given(drawn(kind), st.sampled_from(BREAKS[kind][1]))
    @settings(max_examples=350, deadline=None)
    def every(found: Drawn, fault: str) -> None:
        check_broken(kind, found, fault)

    every()
