"""Pascal VOC: an XML file an image (Everingham et al. 2010, the VOC2012 devkit)."""

from __future__ import annotations

import codecs
import math
import re
from functools import partial
from pathlib import Path
from typing import NoReturn
from xml.etree import ElementTree
from xml.parsers import expat

from dlkit.bounded import read_bytes
from dlkit.data.annotations.record import Annotation, Found, Mark, Remark, attempted, check_size, corners, of_image
from dlkit.data.files import is_file, visible_files
from dlkit.data.images import SUFFIXES, image_size
from dlkit.data.names import Lookup, composed
from dlkit.data.text.corpus import AUTO
from dlkit.errors import DataError

LARGEST_XML = 1 << 22
"""Bytes that are read of a VOC file, where a box takes some 300."""
IMAGE_FOLDERS = (".", "JPEGImages", "images", "../JPEGImages", "../images")
"""Where a VOC file's image is looked for, from the file's own folder; in this order."""

_OWN_NAME = "XML files name an image that is not there: the image of the file's own name is taken"
_OTHER_SPELLING = "images are found under another spelling of their name (capitals, or composed letters)"

_ENCODING = re.compile(rb"""\A\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._:-]{1,40})["']""")
_WIDER = {"gb2312": "gb18030", "gbk": "gb18030"}
"""Encodings that are declared for text of a wider one, which reads all of theirs alike: gb2312 lacks half of the names
that are written under it."""
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)
"""What a file of an encoding begins with, whatever it declares."""


def read_voc(folder: Path, encoding: str = AUTO) -> Found:
    """Every VOC XML file in a folder and below it, sorted by path, in any encoding that it declares and Python knows
    (``encoding``: in that one, whatever it declares).

    An image is looked for by the name in ``filename``, then by the XML file's own, beside it and in ``IMAGE_FOLDERS``.
    Coordinates are taken as written; that VOC's own files count pixels from 1 shifts a box by one pixel at most.
    """
    files = visible_files(folder, [".xml"])
    if not files:
        raise DataError(f"{folder}: holds no VOC XML files")
    lookup = Lookup()

    def attempt(file: Path) -> Found:
        try:
            return _voc_file(file, lookup, encoding)
        except DataError as error:
            # Of a file that cannot be read the image of its name is no image without an annotation.
            return Found(problems=[str(error)], seen=set(_of_stem(file, file.parent)))

    return attempted(attempt, files)


def _voc_file(file: Path, lookup: Lookup, encoding: str) -> Found:
    root = _parsed(file, encoding)
    if root.tag != "annotation":
        raise DataError(f"{file}: its root is <{root.tag}>, not VOC's <annotation>")
    remarks: list[Remark] = []
    image = _image(file, root.findtext("filename", "").strip(), lookup, remarks)
    found = of_image(image, lambda found: _annotation(file, image, root, found))
    found.remarks.extend(remarks)
    return found


def _parsed(file: Path, encoding: str) -> ElementTree.Element:
    """The root of an XML file; DataError names what is not XML, or has a document type."""
    try:
        text = _text(read_bytes(file, LARGEST_XML), encoding)
        # Decoded by ourselves, and its declaration passed over: expat knows few encodings, none of several bytes.
        parser, builder = expat.ParserCreate("utf-8"), ElementTree.TreeBuilder()
        parser.StartElementHandler = builder.start
        parser.EndElementHandler = builder.end
        parser.CharacterDataHandler = builder.data
        parser.StartDoctypeDeclHandler = _refused
        parser.Parse(text.encode(), True)
        return builder.close()
    except (expat.ExpatError, OSError, ValueError, LookupError) as error:
        raise DataError(f"{file}: not readable as XML: {error}") from error


def _refused(*declared: object) -> NoReturn:
    # Entities may grow without end, or lead to other files; VOC has no use for them.
    raise ValueError("it declares a document type (<!DOCTYPE …>), which is not read")


def _text(data: bytes, encoding: str) -> str:
    """Bytes as text: what the byte order mark says, else the option, else the declaration, else UTF-8."""
    declared = _ENCODING.match(data[:200])
    name = declared.group(1).decode().lower() if declared else "utf-8"
    # A declaration that is read byte by byte is not of UTF-16, whatever it says: .NET writes that of its own strings.
    if declared and name.startswith(("utf-16", "utf-32", "unicode", "ucs")):
        name = "utf-8"
    name = name if encoding == AUTO else encoding
    name = next((marked for mark, marked in _MARKS if data.startswith(mark)), name)
    if not codecs.lookup(name)._is_text_encoding:  # what bytes.decode asks too
        raise LookupError(f"unknown encoding: {name}")
    try:
        return data.decode(_WIDER.get(name, name))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        said = "declares" if declared else "declares no encoding, and is not"
        what = f"it {said} {name}; dataset.encoding says what it is" if encoding == AUTO else f"it is not {name}"
        raise ValueError(f"line {line}: byte 0x{data[error.start]:02x} is wrong: {what}") from error


def _annotation(file: Path, image: Path, root: ElementTree.Element, found: Found) -> Annotation:
    width, height = image_size(image)
    # Boxes of an image of another size would be read as sound, and be somewhere else.
    check_size(file, image, (width, height), (root.findtext("size/width"), root.findtext("size/height")))
    objects = enumerate(root.iter("object"), 1)
    read = found.usable(partial(_object, f"{file}: object {number}", element) for number, element in objects)
    boxes = corners(file, [box for _, _, box in read])
    names, marks = tuple(name for name, _, _ in read), tuple(mark for _, mark, _ in read)
    return Annotation(image, file, width, height, boxes, names, marks)


def _object(who: str, element: ElementTree.Element) -> tuple[str, Mark, list[float]]:
    name = element.findtext("name", "").strip()
    if not name:
        raise DataError(f"{who} has no <name>")
    box = [_number(who, element, key) for key in ("xmin", "ymin", "xmax", "ymax")]
    corners(who, [box])  # here, where it stops this object alone
    return name, _mark(who, element.findtext("difficult", "").strip().lower()), box


def _mark(who: str, difficult: str) -> Mark:
    if difficult in ("1", "true", "yes"):
        return "difficult"
    if difficult in ("", "0", "false", "no", "unspecified"):
        return ""
    raise DataError(f"{who}: <difficult> is {difficult!r}, neither 0 nor 1")


def _number(who: str, element: ElementTree.Element, key: str) -> float:
    text = element.findtext(f"bndbox/{key}")
    try:
        value = float(text or "")
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DataError(f"{who}: <{key}> is {'missing' if text is None else repr(text)}, not a number")
    return value


def _image(file: Path, filename: str, lookup: Lookup, remarks: list[Remark]) -> Path:
    """The image of a VOC file. Of ``filename`` its last part alone counts: the rest is of another machine."""
    named = filename.replace("\\", "/").rpartition("/")[2]
    # First by the name in the file, in every place: that is what the file says. Its own name is a guess.
    for place in IMAGE_FOLDERS:
        if named and (found := lookup.find(file.parent / place, named)):
            if found.name != named:
                remarks.append(Remark(_OTHER_SPELLING, f"{file}: {named!r} is {found.name!r}"))
            return found.resolve() if ".." in place else found
    for place in IMAGE_FOLDERS:
        there = _of_stem(file, file.parent / place)
        if len(there) > 1:
            raise DataError(
                f"{file}: it may be of {there[0].name} or of {there[1].name}: its <filename> must say which"
            )
        if there:
            if named and composed(Path(named).stem) != composed(file.stem):
                remarks.append(Remark(_OWN_NAME, f"{file}: {named!r}, so {there[0].name!r}"))
            return there[0].resolve() if ".." in place else there[0]
    raise DataError(f"{file}: its image {named or file.stem + '.*'} is missing (looked in {', '.join(IMAGE_FOLDERS)})")


def _of_stem(file: Path, folder: Path) -> list[Path]:
    """The images of a file's own name, each once where a file system takes capitals for small letters."""
    there: list[Path] = []
    for name in (f"{file.stem}{s}" for suffix in sorted(SUFFIXES) for s in (suffix, suffix.upper())):
        path = folder / name
        if is_file(path) and not any(path.samefile(other) for other in there):
            there.append(path)
    return there
