"""Images, tables, annotations and texts made to hurt: read, or an error that names the file; little time and memory."""

from __future__ import annotations

import io
import json
import os
import random
import struct
import tempfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from annotated import voc_xml
from dlkit.data.annotated import Division
from dlkit.data.annotated_images import ImageForm, ReadRules, decode_part, read_sound
from dlkit.data.annotations.yolo_names import read_yaml
from dlkit.data.context import Context
from dlkit.data.idx import read_idx
from dlkit.data.images import image_size, open_image
from dlkit.data.tables import read_csv
from dlkit.data.text.corpus import read_text
from dlkit.data.text.reading import TextReader
from dlkit.data.text.vectors import read_vectors
from dlkit.errors import DataError
from hostile.fuzz import bounded, mutated, names_in

Read = Callable[[Path], object]
QUICK, LONG = 400, 10_000


def attack(seeds: Sequence[bytes], words: Sequence[bytes], name: str, read: Read, seed: int, count: int) -> int:
    """How many of the files were read; of the others each ended in a DataError that names the file."""
    generator, sound = random.Random(seed), 0
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None) as folder:
        path = Path(folder, "folder", name)
        path.parent.mkdir()
        path.write_bytes(seeds[0])
        read(path)  # what is imported for it is no input's fault
        for _ in range(count):
            content = mutated(generator, seeds, words)
            path.write_bytes(content)
            try:
                with bounded(len(content)):
                    read(path)
            except DataError as error:
                assert name in str(error) or str(path.parent) in str(error), error
            else:
                sound += 1
            assert names_in(path.parent.parent) == ["folder"]
    return sound


def encoded(format: str, mode: str = "RGB", **options: object) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 255, (17, 23, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(buffer, format, **options)
    return buffer.getvalue()


def png(width: int, height: int) -> bytes:
    """One whose header declares a size, with hardly any pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">L", len(data)) + kind + data + struct.pack(">L", zlib.crc32(kind + data))

    header = struct.pack(">2L5B", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")
    )


IMAGES = [
    *(encoded(format) for format in ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM", "ICO", "EPS", "PDF")),
    *(encoded("PNG", mode) for mode in ("L", "P", "1", "RGBA", "LA")),
    *(encoded("TIFF", compression=how) for how in ("tiff_lzw", "jpeg", "tiff_adobe_deflate")),
    encoded("JPEG", "CMYK"),
    encoded("JPEG", exif=bytes.fromhex("4578696600004d4d002a00000008000101120003000000010006000000000000")),
]
IMAGE_WORDS = [
    *(b"\xff\xd8", b"\xff\xc0", b"IDAT", b"IHDR", b"\0" * 8, b"\xff" * 8, b"%!PS", b"\x7f\xff\xff\xff"),
    *(b"\0\0\x20\0", b"\xff\xff\xff\x7f"),
]


def look(path: Path) -> None:
    image_size(path)
    assert open_image(path, colour=True, enough=8).mode == "RGB"


XML = [
    voc_xml("a.png", 23, 17, [("cat", 1, 2, 13, 14), ("dog", 5, 2, 20, 12)]).encode(),
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x "y"><!ENTITY z "&x;&x;&x;&x;">]>'
    + voc_xml("a.png", 0, 0, [("&z;", 1, 2, 3, 4)]).encode(),
]
XML_WORDS = [
    *(b"<object>", b"</object>", b"<bndbox>", b"<name>", b"&z;", b"<!ENTITY e SYSTEM 'file:///etc/passwd'>", b"&e;"),
    *(b"nan", b"-1", b"1e400", b"1e300", b"9" * 5000, b"\0", b"\xff", b"<" * 3000, b"<a>" * 5000, b"x" * 5000, b"]]>"),
    b"../../../etc/passwd",
]


def annotated(path: Path) -> None:
    (path.parent / "a.png").write_bytes(IMAGES[0])
    (path.parent / "b.png").write_bytes(IMAGES[0])
    if path.suffix == ".xml":
        (path.parent / "b.xml").write_bytes(XML[0].replace(b"a.png", b"b.png"))
    for invalid in ("error", "clip"):
        rules = ReadRules(path.parent, Division(test_fraction=0), invalid=invalid, unknown="drop")  # type: ignore[arg-type]
        sound = read_sound(rules)
        for part in sound.parts:
            boxed, _ = decode_part(sound, part, ImageForm(16, 16), skip=False)
            assert all(np.isfinite(boxes).all() for boxes in boxed.boxes)


BOXES = [{"id": i, "image_id": i % 2, "category_id": 1, "bbox": [1, 2, 10, 8.5]} for i in range(3)]
COCO = [
    json.dumps(
        {
            "images": [{"id": i, "file_name": f"{'ab'[i]}.png", "width": 23, "height": 17} for i in range(2)],
            "annotations": BOXES,
            "categories": [{"id": 1, "name": "cat"}],
        }
    ).encode()
]
YOLO = [b"0 0.5 0.5 0.2 0.3\n1 0.4 0.4 0.1 0.1\n", b"1 0.1 0.1 0.5 0.1 0.5 0.5\n"]
YOLO_WORDS = [b" ", b"\n", b"nan", b"-1", b"1e400", b"1e-320", b"9" * 5000, b"\0", b"\xff", b"0.5 " * 5000, b"\xb2"]


def labelled(path: Path) -> None:
    (path.parent / "classes.txt").write_text("cat\ndog\n")
    annotated(path)


DATA_YAML = [b"train: images/train\nval: images/val\nnc: 2\nnames: [cat, dog]\n", b"names:\n  0: cat\n  1: dog\n"]
YAML_WORDS = [
    *(
        b"[" * 3000,
        b"{a: " * 3000,
        b"&a [x]\n",
        b"*a",
        b"<<: *a",
        b"!!python/object/apply:os.system [id]",
        b"\0",
        b"\xff",
    ),
    *(b"\xff", b"? ", b"- ", b": ", b"|\n", b"---\n", b"%YAML 9.9\n", b"9" * 5000, b"'", b'"', b"\t", b"#"),
    b"".join(b"a%d: &a%d [%s]\n" % (i, i, b",".join([b"*a%d" % (i - 1)] * 9)) for i in range(1, 12)),
]


def names(path: Path) -> None:
    for part in ("train", "val"):
        (path.parent / "images" / part).mkdir(parents=True, exist_ok=True)
    read_yaml(path)


JSON_WORDS = [
    *(b"[", b"{", b"]", b"}", b"null", b"true", b"1e400", b"NaN", b"-1", b"9" * 5000, b"9" * 39, b'"\\ud800"'),
    *(b'"' + b"x" * 5000 + b'"', b'"../a.png"', b'"/etc/passwd"', b"[" * 3000, b'{"a":' * 3000, b"\0", b"\xff"),
    *(b'"\\u0000"', b"1e308", b"[1]", b'"bbox"', b"0"),
]

CSV = [
    b"a,b,c\n" + b"".join(b"word%d,%d.5,%d\n" % (i % 3, i, i) for i in range(20)),
    b'"a";"b"\n' + b"".join(b'"%d ""x""";%d\n' % (i % 2, i) for i in range(20)),
]
CSV_WORDS = [
    *(b'"', b",", b"\n", b"\r", b"\0", b"\xff", b"nan", b"inf", b"1e400", b"1e308", b"-1e308", b"9" * 5000, b";"),
    *(b"x" * 200_000, b"," * 5000, b"\n" * 99),
]


def table(path: Path) -> None:
    from dlkit_regression.datasets.files import build
    from dlkit_regression.options import FilesConfig

    data = build(FilesConfig(path=str(path)), Context(path.parent))
    assert len(data.train)


TEXTS = [
    "Ein Satz.\tUne phrase.\nNoch einer, länger.\tUne autre.\n".encode() * 3,
    "\ufeffüber\tsur\r\nunter\tsous\r\n".encode("utf-16"),
]
TEXT_WORDS = [
    *(b"\t", b"\n", b"\r", b"\0", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\xff", b"\xed\xa0\x80", b" "),
    b"x" * 5000,
]


def text(path: Path) -> None:
    from dlkit.data.text.tokenizers import Characters, Words
    from dlkit_embeddings.conjugation.numbered_text import Numbering  # noqa: F401  # its plugin reads the same files
    from dlkit_translation.datasets.files import tsv

    for encoding in ("auto", "utf-16", "latin-1"):
        found = TextReader(encoding).read(path)
        for tokenizer in (Characters.of(found), Words.of(found)):
            tokenizer.decode(tokenizer.encode(found))
    tsv(path, TextReader())


VECTORS = [b"3 2\ncat 0.5 1\ndog -1 2e3\nfish 0 0\n"]
VECTOR_WORDS = [b" ", b"\n", b"1e400", b"nan", b"\xb2", b"9" * 5000, b"\0", b"\xff", b"1 " * 5000, b"0", b"-"]


def vectors(path: Path) -> None:
    assert all(len(vector) for _, vector in read_vectors(path))


IDX = [b"\0\0\x08\x03" + struct.pack(">3L", 2, 3, 4) + bytes(24), b"\0\0\x0d\x01" + struct.pack(">L", 3) + bytes(12)]
IDX_WORDS = [b"\xff" * 4, b"\0" * 4, b"\x1f\x8b", b"\x08\xff", b"\x7f\xff\xff\xff", b"\x08\x40"]

KINDS: dict[str, tuple[Sequence[bytes], Sequence[bytes], str, Read]] = {
    "images": (IMAGES, IMAGE_WORDS, "a.png", look),
    "voc": (XML, XML_WORDS, "a.xml", annotated),
    "yolo": (YOLO, YOLO_WORDS, "a.txt", labelled),
    "data.yaml": (DATA_YAML, YAML_WORDS, "data.yaml", names),
    "coco": (COCO, JSON_WORDS, "all.json", annotated),
    "tables": (CSV, CSV_WORDS, "a.csv", table),
    "texts": (TEXTS, TEXT_WORDS, "a.txt", text),
    "vectors": (VECTORS, VECTOR_WORDS, "a.vec", vectors),
    "idx": (IDX, IDX_WORDS, "a-idx", read_idx),
}


@pytest.mark.parametrize("kind", KINDS)
def test_files_made_to_hurt(kind: str) -> None:
    assert attack(*KINDS[kind], 0, QUICK) > 5


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_ten_thousand_files_made_to_hurt(kind: str) -> None:
    assert attack(*KINDS[kind], 1, LONG) > 100


def test_an_image_of_a_huge_declared_size_is_refused_from_its_header(tmp_path: Path) -> None:
    for width, height in ((1 << 31 - 1, 1), (12_000, 12_000), (20_000, 20_000), (1, 90_000_000)):
        path = tmp_path / "huge.png"
        path.write_bytes(png(width, height))
        for read in (image_size, look):
            with (
                bounded(0),
                pytest.raises(DataError, match=r"huge\.png.*(million that are decoded; scale it|pixels|chunk)"),
            ):
                read(path)


@pytest.mark.parametrize("format", ["ICO", "EPS", "PDF", "TGA", "SGI", "PCX"])
def test_only_the_formats_that_are_meant_are_opened_whatever_a_file_is_called(tmp_path: Path, format: str) -> None:
    (tmp_path / "a.png").write_bytes(encoded(format))
    for read in (image_size, look):
        with pytest.raises(DataError, match=r"a\.png: not a readable image: (?!.*<_io)"):
            read(tmp_path / "a.png")


def test_nothing_waits_for_a_named_pipe(tmp_path: Path) -> None:
    from dlkit.data.weights import read_weights

    os.mkfifo(tmp_path / "a")
    for read in (image_size, look, read_text, read_weights, read_csv):
        with pytest.raises(DataError, match="named pipe"):
            read(tmp_path / "a")


@pytest.mark.parametrize("columns", [50_000, pytest.param(1_000_000, marks=pytest.mark.slow)])
def test_a_header_of_very_many_columns_is_checked_at_once(tmp_path: Path, columns: int) -> None:
    path = tmp_path / "wide.csv"
    names = ",".join(map(str, range(columns)))
    path.write_text(f"{names}\n{names}\n")
    with bounded(2 * path.stat().st_size):
        assert len(read_csv(path).columns) == columns
    path.write_text(f"{names},0\n{names},0\n")
    with pytest.raises(DataError, match=f"column {columns + 1}: the name '0' occurs twice"):
        read_csv(path)


@pytest.mark.parametrize("encoding", ["hex", "undefined", "idna", "zlib", "rot13", "no such", "a\0b", "x" * 5000])
def test_an_encoding_that_is_none_of_text_is_refused(tmp_path: Path, encoding: str) -> None:
    from dlkit.errors import DlkitError

    (tmp_path / "a.txt").write_bytes(b"..\xff")
    with pytest.raises(DlkitError, match=r"a\.txt|unknown encoding"):
        read_text(tmp_path / "a.txt", encoding)
