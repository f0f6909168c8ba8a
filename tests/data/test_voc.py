"""VOC files as tools and people write them, in every encoding, with names from other machines."""

from __future__ import annotations

from pathlib import Path

import pytest

from annotated import picture, voc, voc_xml
from dlkit.data.annotated import Division, read_parts
from dlkit.data.annotations.voc import read_voc
from dlkit.errors import DataError

CAT = ("cat", 3.0, 4.0, 13.0, 24.0)


def declared(folder: Path, name: str, word: str, declaration: str, encoding: str) -> None:
    picture(folder / f"{name}.png", 40, 30)
    xml = voc_xml(f"{name}.png", 40, 30, [(word, *CAT[1:])])
    head = f'<?xml version="1.0" encoding="{declaration}"?>\n' if declaration else ""
    (folder / f"{name}.xml").write_bytes((head + xml).encode(encoding))


@pytest.mark.parametrize(
    ("declaration", "encoding", "word"),
    [
        ("gb2312", "gb2312", "条"),
        ("gb2312", "gbk", "條"),  # gb2312 has no such sign: people declare it for what Windows writes
        ("GBK", "gbk", "條"),
        ("gb18030", "gb18030", "𠀋"),
        ("big5", "big5", "條"),
        ("shift_jis", "shift_jis", "犬"),
        ("euc-jp", "euc-jp", "犬"),
        ("euc-kr", "euc-kr", "개"),
        ("windows-1252", "cp1252", "pièce €"),
        ("windows-1251", "cp1251", "кошка"),
        ("ISO-8859-1", "latin-1", "pièce"),
        ("iso-8859-15", "iso-8859-15", "pièce €"),
        ("koi8-r", "koi8-r", "кошка"),
        ("utf-16", "utf-16", "条"),
        ("UTF-16", "utf-8", "条"),
        ("", "utf-16", "条"),
        ("", "utf-16-le", "条"),
        ("", "utf-16-be", "条"),
        ("utf-8", "utf-8-sig", "条"),
        ("", "utf-8", "条"),
    ],
)
def test_files_are_read_in_the_encoding_that_they_declare(
    declaration: str, encoding: str, word: str, tmp_path: Path
) -> None:
    declared(tmp_path, "a", word, declaration, encoding)
    (annotation,) = read_voc(tmp_path).annotations
    assert annotation.names == (word,)


@pytest.mark.parametrize(
    ("declaration", "encoding", "said"),
    [
        (
            "",
            "gbk",
            "a.xml: not readable as XML: line 1: byte 0xcc is wrong: it declares no encoding, and is not utf-8",
        ),
        ("utf-8", "gbk", "byte 0xcc is wrong: it declares utf-8"),
        ("hex", "utf-8", "unknown encoding: hex"),
        ("klingon", "utf-8", "unknown encoding: klingon"),
    ],
)
def test_what_is_not_of_the_encoding_is_named(declaration: str, encoding: str, said: str, tmp_path: Path) -> None:
    declared(tmp_path, "a", "条", declaration, encoding)
    found = read_voc(tmp_path)
    assert not found.annotations and said in found.problems[0]


def test_the_encoding_may_be_said(tmp_path: Path) -> None:
    declared(tmp_path, "a", "條", "", "gbk")
    declared(tmp_path, "b", "條", "utf-8", "gbk")
    declared(tmp_path, "c", "條", "", "utf-16")  # its mark is surer than whatever is said
    assert len(read_voc(tmp_path).problems) == 2
    found = read_voc(tmp_path, "gbk")
    assert [one.names for one in found.annotations] == [("條",)] * 3
    with pytest.raises(DataError, match=r"(?s)byte 0xff.*it is not gbk|unknown encoding: klingon"):
        read_parts(tmp_path, Division(), "klingon")


def test_two_files_that_claim_an_image_are_both_left_out(tmp_path: Path) -> None:
    """Copies keep the filename of what they were copied from."""
    for name in "abc":
        voc(tmp_path, name, [CAT])
    (tmp_path / "b.xml").write_text(voc_xml("a.png", 40, 30, [CAT]))
    found = read_voc(tmp_path)
    assert [one.image.name for one in found.annotations] == ["c.png"]
    assert found.problems == [f"{tmp_path / 'a.xml'} and {tmp_path / 'b.xml'} claim the same image, a.png"]


def test_of_two_images_with_a_files_name_none_is_guessed(tmp_path: Path) -> None:
    voc(tmp_path, "a", [CAT])
    (tmp_path / "a.xml").write_text(voc_xml("", 40, 30, [CAT]))
    assert read_voc(tmp_path).annotations[0].image.name == "a.png"
    picture(tmp_path / "a.jpg", 40, 30)
    (problem,) = read_voc(tmp_path).problems
    assert "a.xml: it may be of a.jpg or of a.png: its <filename> must say which" in problem
    (tmp_path / "a.xml").write_text(voc_xml("a.jpg", 40, 30, [CAT]))
    assert read_voc(tmp_path).annotations[0].image.name == "a.jpg"


def test_an_image_that_is_not_there_is_guessed_aloud(tmp_path: Path) -> None:
    for name in "ab":
        voc(tmp_path, name, [CAT])
    (tmp_path / "a.xml").write_text(voc_xml("IMG_1.jpg", 40, 30, [CAT]))
    (tmp_path / "b.xml").write_text(voc_xml("b.jpg", 40, 30, [CAT]))  # the same name, converted: no guess
    found = read_voc(tmp_path)
    assert len(found.annotations) == 2
    (remark,) = found.remarks
    assert "name an image that is not there" in remark.what and "'IMG_1.jpg', so 'a.png'" in remark.where


def test_images_without_an_annotation_are_said(tmp_path: Path) -> None:
    for name in "abcd":
        voc(tmp_path, name, [CAT])
    (tmp_path / "c.xml").unlink()
    (tmp_path / "d.xml").write_text("<annotation>")
    read = read_parts(tmp_path, Division(test_fraction=0))
    assert [note for note in read.notes if "no annotation" in note] == [
        f"1 images have no annotation and are left out; the first: {tmp_path / 'c.png'}"
    ]


def test_names_of_files_are_compared_composed(tmp_path: Path) -> None:
    voc(tmp_path, "e\u0301te\u0301", [CAT])
    (tmp_path / "e\u0301te\u0301.xml").write_text(voc_xml("\u00e9t\u00e9.png", 40, 30, [CAT]), encoding="utf-8")
    found = read_voc(tmp_path)
    assert len(found.annotations) == 1 and not found.problems
    with pytest.raises(DataError, match="no usable annotated image for train and val"):
        (tmp_path / "e\u0301te\u0301.png").unlink()
        read_parts(tmp_path, Division())


@pytest.mark.parametrize("written", ["1", "true", " True "])
def test_difficult_is_said_in_several_ways(written: str, tmp_path: Path) -> None:
    file = voc(tmp_path, "a", [CAT, ("dog", *CAT[1:])])
    text = file.read_text().replace("<bndbox>", f"<difficult>{written}</difficult><bndbox>", 1)
    file.write_text(text.replace("</name><bndbox>", "</name><difficult>Unspecified</difficult><bndbox>"))
    (annotation,) = read_voc(tmp_path).annotations
    assert annotation.marks == ("difficult", "")
