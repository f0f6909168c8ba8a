"""VOC and COCO are read alike, and whatever is wrong with them is named with its file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from annotated import coco, picture, voc, voc_xml
from dlkit.data.annotations.coco import read_coco
from dlkit.data.annotations.reading import read_annotations
from dlkit.data.annotations.voc import read_voc
from dlkit.data.images import image_size, open_image
from dlkit.errors import DataError

OBJECTS = [("cat", 3.0, 4.0, 13.0, 24.0), ("dog", 15.0, 2.0, 35.0, 12.0)]


def test_voc_and_coco_say_the_same(tmp_path: Path) -> None:
    voc(tmp_path / "voc", "a", OBJECTS)
    voc(tmp_path / "voc", "b", [])
    coco(tmp_path / "coco" / "all.json", {"a.png": OBJECTS, "b.png": []})
    for path in (tmp_path / "voc", tmp_path / "coco", tmp_path / "coco" / "all.json"):
        found = read_annotations(path)
        first, second = found.annotations
        assert found.problems == []
        assert first.image.name == "a.png" and (first.width, first.height) == (40, 30)
        assert first.names == ("cat", "dog") and first.boxes.dtype == np.float32
        assert first.boxes.tolist() == [list(item[1:]) for item in OBJECTS]
        assert len(second) == 0 and second.boxes.shape == (0, 4)


def test_images_are_found_where_tools_put_them(tmp_path: Path) -> None:
    places = {"Annotations": "JPEGImages", "xml": "images", "flat": "flat"}
    for folder, images in places.items():
        root = tmp_path / folder / "root"
        picture(root / images / "1.jpg", 20, 10)
        (root / folder).mkdir(exist_ok=True)
        (root / folder / "1.xml").write_text(voc_xml("C:\\photos\\1.jpg", 20, 10, []))
        (annotation,) = read_voc(root).annotations
        assert annotation.image.resolve() == root / images / "1.jpg"
    # The file's own name, where the one written is of no image.
    picture(tmp_path / "by-stem" / "2.PNG", 20, 10)
    (tmp_path / "by-stem" / "2.xml").write_text(voc_xml("elsewhere.bmp", 0, 0, []))
    assert read_voc(tmp_path / "by-stem").annotations[0].image.name == "2.PNG"


def test_coco_images_are_found_in_folders_of_the_official_layout(tmp_path: Path) -> None:
    file = coco(tmp_path / "annotations" / "instances_val2017.json", {"a.png": OBJECTS})
    (tmp_path / "val2017").mkdir()
    (file.parent / "a.png").rename(tmp_path / "val2017" / "a.png")
    assert read_coco(file).annotations[0].image.resolve() == tmp_path / "val2017" / "a.png"
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "val2017" / "a.png").rename(tmp_path / "elsewhere" / "a.png")
    assert read_coco(file, tmp_path / "elsewhere").annotations[0].image.parent.name == "elsewhere"


@pytest.mark.parametrize(
    ("xml", "said"),
    [
        ("<annotation><object>", "bad.xml: not readable as XML"),
        ("", "bad.xml: not readable as XML"),
        ("<html></html>", "bad.xml: its root is <html>"),
        (voc_xml("absent.png", 0, 0, []), "bad.xml: its image absent.png is missing"),
        (voc_xml("text.png", 0, 0, []), "text.png: not a readable image"),
        (voc_xml("good.png", 99, 30, []), "bad.xml: written for 99×30 pixels, but good.png has 40×30"),
        (voc_xml("good.png", 40, 30, []).replace(">40<", ">wide<"), "bad.xml: its size 'wide'"),
        ('<?xml version="1.0" encoding="klingon"?><annotation/>', "bad.xml: not readable as XML"),
    ],
)
def test_what_is_wrong_with_a_voc_file_is_named_and_the_rest_is_read(xml: str, said: str, tmp_path: Path) -> None:
    voc(tmp_path, "good", OBJECTS)
    (tmp_path / "text.png").write_text("no image")
    (tmp_path / "bad.xml").write_text(xml)
    found = read_voc(tmp_path)
    assert [annotation.file.name for annotation in found.annotations] == ["good.xml"]
    (problem,) = found.problems
    assert said in problem and str(tmp_path) in problem


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "all.json: not readable as JSON"),
        ("[]", "all.json: a COCO file is a JSON object, not a list"),
        ("{}", "all.json: not a COCO file: it has no list 'categories'"),
        ('{"categories": [{"id": 1}]}', "all.json: categories[0] has no name"),
        ('{"categories": [], "images": [7]}', "all.json: images[0] has no id, file_name"),
        ('{"categories": [], "images": [{"id": [1], "file_name": "a"}]}', "all.json: images[0] has no plain"),
        ('{"categories": [], "images": []}', "it has no list 'annotations'"),
    ],
)
def test_a_file_that_is_no_coco_file_is_refused(content: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "all.json").write_text(content)
    with pytest.raises(DataError, match=r"all\.json") as refused:
        read_annotations(tmp_path)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"images": {"file_name": "absent.png"}}, "all.json: its image absent.png is missing"),
        ({"images": {"file_name": "../a.png"}}, "all.json: file name '../a.png' leads out of its folder"),
        ({"images": {"file_name": "/etc/a.png"}}, "leads out of its folder"),
        ({"images": {"width": 99}}, "all.json: written for 99×30 pixels"),
    ],
)
def test_what_is_wrong_with_an_image_of_a_coco_file_is_named(
    change: dict[str, dict[str, object]], said: str, tmp_path: Path
) -> None:
    file = coco(tmp_path / "all.json", {"a.png": OBJECTS[:1], "b.png": OBJECTS})
    content = json.loads(file.read_text())
    for key, fields in change.items():
        content[key][0].update(fields)
    file.write_text(json.dumps(content))
    found = read_coco(file)
    assert [annotation.image.name for annotation in found.annotations] == ["b.png"]
    (problem,) = found.problems
    assert said in problem


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"bbox": [1, 2, 3]}, "all.json: a.png: annotation 0: bbox [1, 2, 3] is not"),
        ({"bbox": ["1", 2, 3, 4]}, "is not [x, y, width, height]"),
        ({"bbox": [1, 2, 3, float("nan")]}, "is not [x, y, width, height]"),
        ({"bbox": [1, 2, 1e39, 1]}, "a.png: annotation 0: object 1: a number in"),
        ({"bbox": [True, 2, 3, 4]}, "is not [x, y, width, height]"),
        ({"bbox": None}, "all.json: a.png: annotation 0 has no bbox, and no polygon"),
        ({"bbox": None, "segmentation": {"counts": [1], "size": [1, 1]}}, "its segmentation is a mask"),
        ({"bbox": [], "segmentation": [[1, 2, 3, 4]]}, "not polygons of three points or more"),
        ({"bbox": [], "segmentation": [[1, 2, 3, 4, 5, "6"]]}, "not polygons of three points or more"),
        ({"category_id": 9}, "all.json: a.png: annotation 0: no category 9"),
        ({"category_id": None}, "all.json: a.png: annotation 0 has no category_id"),
        ({"image_id": None}, "all.json: annotations[0] has no image_id"),
        ({"image_id": True}, "all.json: annotations[0] has no plain image_id"),
        ({"image_id": 7}, "all.json: annotation 0: no image 7"),
        ({"iscrowd": "some"}, "all.json: a.png: annotation 0: iscrowd 'some' is neither 0 nor 1"),
    ],
)
def test_an_object_that_cannot_be_used_is_named_and_those_beside_it_are_read(
    fields: dict[str, object], said: str, tmp_path: Path
) -> None:
    file = coco(tmp_path / "all.json", {"a.png": OBJECTS, "b.png": OBJECTS})
    content = json.loads(file.read_text())
    content["annotations"][0].update(fields)
    file.write_text(json.dumps(content))
    found = read_coco(file)
    assert [annotation.names for annotation in found.annotations] == [("dog",), ("cat", "dog")]
    (problem,) = found.problems
    assert said in problem and str(file) in problem


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("<xmax>13</xmax>", "<xmax>nan</xmax>", "a.xml: object 1: <xmax> is 'nan', not a number"),
        ("<xmax>13</xmax>", "", "a.xml: object 1: <xmax> is missing, not a number"),
        ("<xmax>13</xmax>", "<xmax>1e39</xmax>", "a number in [3.0, 4.0, 1e+39, 24.0] is too large"),
        ("<name>cat</name>", "<name> </name>", "a.xml: object 1 has no <name>"),
        ("<bndbox>", "<difficult>2</difficult><bndbox>", "a.xml: object 1: <difficult> is '2', neither 0 nor 1"),
    ],
)
def test_an_object_of_voc_that_cannot_be_used_is_named_and_those_beside_it_are_read(
    old: str, new: str, said: str, tmp_path: Path
) -> None:
    file = voc(tmp_path, "a", OBJECTS)
    file.write_text(file.read_text().replace(old, new, 1))
    found = read_voc(tmp_path)
    assert [annotation.names for annotation in found.annotations] == [("dog",)]
    (problem,) = found.problems
    assert said in problem


def test_annotations_of_no_image_are_named_and_groups_marked(tmp_path: Path) -> None:
    file = coco(tmp_path / "all.json", {"a.png": OBJECTS})
    content = json.loads(file.read_text())
    content["annotations"][0]["iscrowd"] = 1
    content["annotations"].append({"id": 7, "image_id": 5, "category_id": 1, "bbox": [0, 0, 1, 1]})
    file.write_text(json.dumps(content))
    found = read_coco(file)
    assert found.annotations[0].names == ("cat", "dog") and found.annotations[0].marks == ("crowd", "")
    assert found.problems == [f"{file}: annotation 7: no image 5"]


def test_difficult_objects_of_voc_are_marked(tmp_path: Path) -> None:
    voc(tmp_path, "a", OBJECTS)
    file = tmp_path / "a.xml"
    text = file.read_text()
    first = text.index("<bndbox>")
    file.write_text(f"{text[:first]}<difficult>1</difficult>{text[first:]}")
    (annotation,) = read_voc(tmp_path).annotations
    assert annotation.marks == ("difficult", "")


def test_a_turned_photograph_has_the_size_that_people_see(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 30)).save(tmp_path / "turned.jpg", exif=exif)
    assert image_size(tmp_path / "turned.jpg") == (30, 40)
    assert image_size(picture(tmp_path / "plain.png", 40, 30)) == (40, 30)


@pytest.mark.parametrize("keyword", ["exif", "Raw profile type exif", "XML:com.adobe.xmp"])
def test_whatever_turns_a_png_turns_its_size(tmp_path: Path, keyword: str) -> None:
    """A chunk of its own, ImageMagick's text, or Adobe's."""
    exif, texts = Image.Exif(), PngInfo()
    exif[0x0112] = 6
    if keyword == "XML:com.adobe.xmp":
        texts.add_itxt(keyword, '<rdf:Description tiff:Orientation="6"/>')
    elif keyword != "exif":
        texts.add_text(keyword, f"\nexif\n{len(exif.tobytes())}\n{exif.tobytes().hex()}\n", zip=True)
    chunk = exif if keyword == "exif" else None
    Image.new("L", (40, 30)).save(tmp_path / "turned.png", pnginfo=texts, exif=chunk)
    assert open_image(tmp_path / "turned.png", colour=False).size == (30, 40)
    assert image_size(tmp_path / "turned.png") == (30, 40)


def test_nothing_to_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="absent: no such file or folder"):
        read_annotations(tmp_path / "absent")
    with pytest.raises(DataError, match="holds no annotations"):
        read_annotations(tmp_path)
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_text("{}")
    with pytest.raises(DataError, match=r"holds 2 JSON files \(a.json, b.json\)"):
        read_annotations(tmp_path)


@pytest.mark.parametrize(
    "declared",
    [
        '<!DOCTYPE annotation [<!ENTITY a SYSTEM "file:///etc/hostname">]>',
        '<!DOCTYPE annotation [<!ENTITY a "x">]>',
        '<!DOCTYPE annotation SYSTEM "http://example.com/voc.dtd">',
    ],
)
def test_a_document_type_is_not_read(declared: str, tmp_path: Path) -> None:
    file = voc(tmp_path, "a", OBJECTS)
    file.write_text(declared + file.read_text())
    found = read_voc(tmp_path)
    assert not found.annotations and "a.xml: not readable as XML: it declares a document type" in found.problems[0]


def test_entities_are_not_expanded_without_end(tmp_path: Path) -> None:
    """A "billion laughs" file is refused by expat itself."""
    entities = "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 12))
    (tmp_path / "bomb.xml").write_text(
        f'<!DOCTYPE annotation [<!ENTITY a0 "ha">{entities}]><annotation><filename>&a11;</filename></annotation>'
    )
    found = read_voc(tmp_path)
    assert not found.annotations and "bomb.xml: not readable as XML" in found.problems[0]
