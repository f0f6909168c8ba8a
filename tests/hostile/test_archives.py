"""Archives made to hurt, by the thousand: nothing outside, no link, no error but DataError, little time and memory."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import random
import struct
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from dlkit.data.extract import Limits, extract
from dlkit.errors import DataError
from dlkit.folders import remove_tree
from hostile.fuzz import bounded, mutated, names_in

NAMES = [
    *("a", "b/c", "b/", "../up", "/abs", "a/../../up", "", ".", "..", "./a", "a//b", "a\\b", "a\0b", "ä", "\u202e"),
    *("x" * 255, "x" * 256, "x" * 5000, "d/" * 70 + "f", "a" * 98 + "/b", "CON", "a\nb", "-rf", "~/x", "$(id)"),
]  # fmt: skip
TYPES = [b"0", b"0", b"0", b"\0", b"5", b"1", b"2", b"3", b"6", b"7", b"L", b"K", b"x", b"g", b"S", b"Z", b"V"]
TARGETS = ["", "/etc/passwd", "../..", "a", "b"]
KEYS = [b"path", b"size", b"linkpath", b"GNU.sparse.name", b"mtime", b"hdrcharset", b"", b"path\0"]
VALUES = [b"", b"new", b"../up", b"/abs", b"-1", b"5", b"99999999999999999999", b"\xff", b"x" * 5000, b"a\nb", b"0x5"]
WORDS = [b"\0" * 512, b"\xff" * 8, b"PK\1\2", b"PK\3\4", b"PK\5\6", b"PK\6\6", b"PK\6\7", b"ustar\0", b"../", b"7" * 12]
PACKED: dict[str, Callable[[bytes], bytes]] = {
    "a.tar": bytes,
    "a.tar.gz": lambda data: gzip.compress(data, 1),
    "a.tar.bz2": lambda data: bz2.compress(data, 1),
    "a.tar.xz": lambda data: lzma.compress(data, preset=0),
}


def tar(generator: random.Random) -> bytes:
    blocks = []
    for _ in range(generator.randrange(1, 6)):
        info = tarfile.TarInfo(generator.choice(NAMES)[:90])
        info.type, info.linkname = generator.choice(TYPES), generator.choice(TARGETS)
        content = records(generator) if info.type in b"xg" else generator.choice(NAMES).encode("utf-8", "replace")
        info.size = len(content) if generator.random() < 0.9 else generator.choice((0, 1, 511, 1 << 32))
        with suppress(ValueError):  # what tarfile cannot write, a name with NUL say
            head = info.tobuf(generator.choice((tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT)), "utf-8", "surrogateescape")
            blocks.append(head + content + bytes(-len(content) % 512))
    return b"".join(blocks) + bytes(1024 if generator.random() < 0.8 else 0)


def records(generator: random.Random) -> bytes:
    """Of a pax header, most of them sound."""
    found = []
    for _ in range(generator.choice((0, 1, 2, 3, 20)) if generator.random() < 0.98 else 5000):
        text = b" " + generator.choice(KEYS) + b"=" + generator.choice(VALUES[:4] if len(found) > 9 else VALUES) + b"\n"
        length = next(n for n in range(len(text), len(text) + 9) if n == len(text) + len(str(n)))
        found.append(b"%d" % (length if generator.random() < 0.99 else generator.choice((0, 1, 10**6))) + text)
    return b"".join(found)


def zipped(generator: random.Random) -> bytes:
    """Written field by field: what zipfile would not write is the point."""
    body, directory = b"", b""
    for _ in range(generator.randrange(1, 6)):
        name = generator.choice(NAMES).encode("utf-8", "replace")
        content = generator.choice((b"", b"hello" * 50, bytes(100_000)))
        method = generator.choice((0, 8, 8, 12, 14, 99))
        packed = {8: deflate, 12: lambda data: bz2.compress(data, 1)}.get(method, bytes)(content)
        crc, packed_size, size = zlib.crc32(content), len(packed), len(content)
        if generator.random() < 0.1:
            size = generator.choice((0, 1, 0xFFFFFFFF, size + 1))
        if generator.random() < 0.1:
            packed_size = generator.choice((0, 1, 0xFFFFFFFF, packed_size + 1))
        flags = generator.choice((0, 0x800, 0x800, 0x800, 1, 0x2000))
        fields = (20, flags, method, 0, 0, crc, packed_size, size, len(name), 0)
        mode = generator.choice((0, 0, 0, 0o100644, 0o120777, 0o040755, 0o010644)) << 16
        offset = len(body) if generator.random() < 0.95 else generator.choice((0, 1, 0xFFFFFFFF))
        directory += b"PK\1\2" + struct.pack("<H5H3L5H2L", 20, *fields, 0, 0, 0, mode, offset) + name
        body += b"PK\3\4" + struct.pack("<5H3L2H", *fields) + name + packed
    end = struct.pack("<4H2LH", 0, 0, 1, generator.choice((0, 1, 65535)), len(directory), len(body), 0)
    return body + directory + b"PK\5\6" + end


def deflate(data: bytes) -> bytes:
    made = zlib.compressobj(1, zlib.DEFLATED, -15)
    return made.compress(data) + made.flush()


def archive(generator: random.Random) -> tuple[str, bytes]:
    """A name, which says the kind, and bytes."""
    kind = generator.choice(("a.zip", "a.zip", "a.tar", "a.tar", "a.tar.gz", "a.tar.bz2", "a.tar.xz", "a.gz"))
    if kind == "a.zip":
        content = zipped(generator)
    elif kind == "a.gz":
        content = gzip.compress(b"hello" * 100, 1)
    else:
        content = tar(generator)
    if generator.random() < 0.5:
        content = mutated(generator, [content], WORDS)
    content = PACKED.get(kind, bytes)(content)
    return kind, mutated(generator, [content], WORDS) if kind != "a.tar" and generator.random() < 0.3 else content


def attack(seed: int, count: int) -> int:
    """How many were unpacked; nothing else has come of the others."""
    # In memory, where there is such a folder: on a disk, folders alone would take most of the time.
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None) as outer:
        return _attack(Path(outer), seed, count)


def _attack(outer: Path, seed: int, count: int) -> int:
    generator, folder = random.Random(seed), outer / "work"
    folder.mkdir()
    unpacked = 0
    for _ in range(count):
        name, content = archive(generator)
        (folder / name).write_bytes(content)
        try:
            with bounded(len(content)):
                extract(folder / name, folder / "out", Limits(size=1 << 22, members=100))
        except DataError as error:
            assert name in str(error)
            assert names_in(folder) == [name]
        else:
            unpacked += 1
            check(folder / "out")
            remove_tree(folder / "out")
        (folder / name).unlink()
        assert names_in(outer) == ["work"]
    return unpacked


def check(folder: Path) -> None:
    for where, folders, files in os.walk(folder):
        for entry in (*folders, *files):
            path = Path(where, entry)
            assert not path.is_symlink() and (path.is_dir() or path.is_file())
            assert not path.stat().st_mode & 0o111 or path.is_dir()


def test_archives_made_to_hurt() -> None:
    assert attack(0, 1500) > 50


@pytest.mark.slow
def test_fifty_thousand_archives_made_to_hurt() -> None:
    assert attack(1, 50_000) > 2000


def test_a_bomb_of_headers_is_no_slower_than_its_bytes(tmp_path: Path) -> None:
    """A megabyte of global headers without any member, packed to some kilobytes."""
    info = tarfile.TarInfo("g")
    info.type = tarfile.XGLTYPE
    content = gzip.compress(info.tobuf(tarfile.USTAR_FORMAT) * 20_000)
    (tmp_path / "a.tar.gz").write_bytes(content)
    with bounded(len(content)), pytest.raises(DataError, match="at most"):
        extract(tmp_path / "a.tar.gz", tmp_path / "out")


def test_what_is_made_here_can_be_read_by_others() -> None:
    """The hostile archives are near enough to real ones that many are sound."""
    generator = random.Random(5)
    sound = 0
    for _ in range(200):
        with suppress(Exception):
            zipfile.ZipFile(io.BytesIO(zipped(generator))).testzip()
            sound += 1
    assert sound > 50
