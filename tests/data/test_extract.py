"""Archives, honest and hostile."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import stat
import struct
import tarfile
import tempfile
import time
import tracemalloc
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlkit.data.extract import Limits, extract
from dlkit.errors import DataError

TAR_KINDS = {"a.tar": "w:", "a.tar.gz": "w:gz", "a.tgz": "w:gz", "a.tar.bz2": "w:bz2", "a.tar.xz": "w:xz"}
KINDS = [*TAR_KINDS, "a.zip"]
Files = Mapping[str, bytes]


def tar_of(*members: tuple[tarfile.TarInfo, bytes], mode: str = "w:", format: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode, format=format) as tar:  # type: ignore[call-overload]
        for info, content in members:
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def entry(name: str, content: bytes = b"x", **fields: object) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    for key, value in fields.items():
        setattr(info, key, value)
    return info, content


def zip_of(*members: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile warns of the duplicates that are the point of a test
        with zipfile.ZipFile(buffer, "w", method) as archive:
            for name, content in members:
                archive.writestr(name, content)
    return buffer.getvalue()


def archive_of(files: Files, name: str) -> bytes:
    if name == "a.zip":
        return zip_of(*files.items())
    return tar_of(*(entry(path, content) for path, content in files.items()), mode=TAR_KINDS[name])


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def unpack(tmp_path: Path, name: str, content: bytes, limits: Limits | None = None) -> Path:
    (tmp_path / name).write_bytes(content)
    extract(tmp_path / name, tmp_path / "out", limits)
    return tmp_path / "out"


def refused(tmp_path: Path, name: str, content: bytes, limits: Limits | None = None) -> str:
    """The message of the refusal; checks that nothing is left behind."""
    with pytest.raises(DataError) as caught:
        unpack(tmp_path, name, content, limits)
    assert [p.name for p in tmp_path.iterdir()] == [name]
    assert name in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", KINDS)
def test_an_honest_archive_comes_out_whole(tmp_path: Path, name: str) -> None:
    files = {"a.txt": b"a", "deep/er/b.bin": bytes(range(256)) * 5000, "deep/empty": b""}
    out = unpack(tmp_path, name, archive_of(files, name))
    assert tree(out) == files
    assert stat.S_IMODE(out.stat().st_mode) & 0o500 == 0o500


def test_a_gzipped_file_takes_the_archives_name_without_its_ending(tmp_path: Path) -> None:
    content = gzip.compress(b"abc" * 1000)
    assert tree(unpack(tmp_path, "t10k-labels-idx1-ubyte.gz", content)) == {"t10k-labels-idx1-ubyte": b"abc" * 1000}


@pytest.mark.parametrize("format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names_and_folders(tmp_path: Path, format: int) -> None:
    name = "/".join(["folder" * 8] * 4) + "/file.txt"
    content = tar_of(entry("empty", b"", type=tarfile.DIRTYPE), entry(name, b"1"), format=format)
    out = unpack(tmp_path, "a.tar", content)
    assert tree(out) == {name: b"1"}
    assert (out / "empty").is_dir()


@pytest.mark.parametrize("format", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_names_beyond_ustar_and_not_ascii(tmp_path: Path, format: int) -> None:
    name = "ä" * 60 + "/" + "漢" * 50
    assert tree(unpack(tmp_path, "a.tar", tar_of(entry(name, b"1"), format=format))) == {name: b"1"}


def test_what_leads_out_of_the_target_is_refused(tmp_path: Path) -> None:
    for index, (bad, reason) in enumerate(
        [
            ("../up.txt", "'..'"),
            ("a/../../up.txt", "'..'"),
            ("/absolute.txt", "absolute"),
            ("..\\up.txt", "backslash"),
            ("a/..", "'..'"),
        ]
    ):
        for kind in KINDS:
            folder = tmp_path / f"{index}-{kind}"
            folder.mkdir()
            message = refused(folder, kind, archive_of({"ok.txt": b"1", bad: b"2"}, kind))
            assert reason in message
            assert repr(bad) in message
    assert not [p for p in tmp_path.rglob("*") if p.name.startswith(("up", "absolute", "ok"))]


@pytest.mark.parametrize(
    ("type_", "word"),
    [
        (tarfile.SYMTYPE, "symbolic link"),
        (tarfile.LNKTYPE, "hard link"),
        (tarfile.CHRTYPE, "character device"),
        (tarfile.BLKTYPE, "block device"),
        (tarfile.FIFOTYPE, "named pipe"),
        (tarfile.GNUTYPE_SPARSE, "sparse"),
        (b"Z", "unknown type"),
    ],
)
def test_only_files_and_folders_come_out_of_a_tar(tmp_path: Path, type_: bytes, word: str) -> None:
    content = tar_of(entry("first"), entry("odd", b"", type=type_, linkname="/etc/passwd"))
    message = refused(tmp_path, "a.tar", content)
    assert word in message
    assert "'odd'" in message


def test_a_write_through_an_earlier_link_is_impossible(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    inside = tmp_path / "inside"
    outside.mkdir()
    inside.mkdir()
    link = entry("door", b"", type=tarfile.SYMTYPE, linkname=str(outside))
    refused(inside, "a.tar", tar_of(link, entry("door/x")))
    assert not list(outside.iterdir())


@pytest.mark.parametrize(("mode", "word"), [(stat.S_IFLNK, "symbolic link"), (stat.S_IFIFO, "neither a regular")])
def test_only_files_and_folders_come_out_of_a_zip(tmp_path: Path, mode: int, word: str) -> None:
    info = zipfile.ZipInfo("odd")
    info.create_system, info.external_attr = 3, (mode | 0o644) << 16
    assert word in refused(tmp_path, "a.zip", zip_of((info, b"/etc/passwd")))


def test_a_nul_in_a_name_is_refused(tmp_path: Path) -> None:
    honest = zip_of(("ab.txt", b"1"), method=zipfile.ZIP_STORED)
    assert "NUL" in refused(tmp_path, "a.zip", honest.replace(b"ab.txt", b"a\0.txt"))


def test_a_nul_in_a_pax_name_is_refused(tmp_path: Path) -> None:
    content = tar_of(entry("ä" * 60, b"1")).replace(("ä" * 60).encode(), b"a\0" + b"b" * 118)
    assert "NUL" in refused(tmp_path, "a.tar", content)


@pytest.mark.parametrize("kind", ["a.tar", "a.zip"])
def test_duplicates_and_clashes_are_refused(tmp_path: Path, kind: str) -> None:
    for index, pair in enumerate([("a", "a"), ("a", "./a"), ("a", "a/b"), ("a/b", "a")]):
        folder = tmp_path / str(index)
        folder.mkdir()
        members = [(name, b"1") for name in pair]
        content = zip_of(*members) if kind == "a.zip" else tar_of(*(entry(*member) for member in members))
        assert "twice" in (message := refused(folder, kind, content)) or "before it" in message


@pytest.mark.parametrize("name", [*KINDS, "a.gz"])
def test_a_bomb_is_stopped_while_it_unpacks(tmp_path: Path, name: str) -> None:
    zeros = bytes(3_000_000)
    bomb = gzip.compress(zeros) if name == "a.gz" else archive_of({"zeros": zeros}, name)
    if name != "a.tar":
        limits = Limits(ratio=20, slack=1_000_000)
        assert "20 times its size" in refused(tmp_path, name, bomb, limits)
    assert "1000000 bytes" in refused(tmp_path, name, bomb, Limits(size=1_000_000, ratio=10**6))


def test_a_zip_that_lies_about_a_size_is_still_counted(tmp_path: Path) -> None:
    bomb = zip_of(("zeros", bytes(3_000_000)))
    lying = bomb.replace((3_000_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    assert lying != bomb
    refused(tmp_path, "a.zip", lying, Limits(size=1_000_000, ratio=10**6))


def test_what_follows_the_end_of_a_tar_counts_too(tmp_path: Path) -> None:
    content = gzip.compress(tar_of(entry("a")) + bytes(3_000_000))
    assert "1000000 bytes" in refused(tmp_path, "a.tar.gz", content, Limits(size=1_000_000, ratio=10**6))


@pytest.mark.parametrize("kind", ["a.tar", "a.zip"])
def test_too_many_members_are_refused(tmp_path: Path, kind: str) -> None:
    content = archive_of({str(i): b"" for i in range(11)}, kind)
    assert "more than 10 members" in refused(tmp_path, kind, content, Limits(members=10))


def test_a_huge_extended_header_is_not_read(tmp_path: Path) -> None:
    info = tarfile.TarInfo("path")
    info.type, info.size = tarfile.XHDTYPE, 1 << 40
    content = info.tobuf(tarfile.GNU_FORMAT) + bytes(2048)
    assert "extended header of 1099511627776 bytes" in refused(tmp_path, "a.tar", content)


@pytest.mark.parametrize("name", [*KINDS, "a.gz"])
def test_a_truncated_archive_is_refused_wherever_it_is_cut(tmp_path: Path, name: str) -> None:
    files = {"a": b"1" * 700, "b/c": bytes(range(256)) * 20}
    content = gzip.compress(b"1" * 7000) if name == "a.gz" else archive_of(files, name)
    # A tar's padding after its end mark (10 240 bytes a record) is no loss.
    whole = len(content) - 2 if name != "a.tar" else content.rfind(b"\xff") + 500
    for cut in range(0, whole, max(1, whole // 25)):
        refused(tmp_path, name, content[:cut])


def test_another_file_is_no_archive(tmp_path: Path) -> None:
    assert ".tar.gz" in refused(tmp_path, "notes.txt", b"hello")
    (tmp_path / "notes.txt").unlink()
    assert "checksum" in refused(tmp_path, "a.tar", b"hello" * 1000)


def test_an_existing_target_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("1")
    with pytest.raises(DataError, match="exists"):
        unpack(tmp_path, "a.tar", archive_of({"a": b"2"}, "a.tar"))
    assert tree(tmp_path / "out") == {"mine": b"1"}


NAMES = st.text(st.characters(exclude_characters="/\\\0", codec="utf-8"), min_size=1, max_size=12).filter(
    lambda name: name not in (".", "..")
)
TREES = st.dictionaries(st.lists(NAMES, min_size=1, max_size=3).map(tuple), st.binary(max_size=2000), max_size=6)


def without_clashes(paths: Mapping[tuple[str, ...], bytes]) -> dict[str, bytes]:
    folders = {path[:i] for path in paths for i in range(1, len(path))}
    return {"/".join(path): content for path, content in paths.items() if path not in folders}


@settings(max_examples=60, deadline=None)
@given(TREES.map(without_clashes), st.sampled_from(KINDS))
def test_every_honest_tree_comes_back(files: dict[str, bytes], name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert tree(unpack(Path(folder), name, archive_of(files, name))) == files


DECOMPRESSED: dict[str, Callable[[bytes], bytes]] = {
    "a.tar": bytes,
    "a.tar.gz": gzip.compress,
    "a.tar.bz2": bz2.compress,
    "a.tar.xz": lzma.compress,
}
SEEDS = {
    "a.zip": zip_of(("dir/", b""), ("dir/a.txt", b"hello" * 50), ("b", b"2"), method=zipfile.ZIP_DEFLATED),
    "a.tar": tar_of(entry("dir", b"", type=tarfile.DIRTYPE), entry("dir/a.txt", b"hello" * 50), entry("ä" * 60)),
}


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(["a.zip", *DECOMPRESSED]),
    st.booleans(),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=6)), min_size=1, max_size=6),
)
def test_whatever_the_bytes_nothing_lands_outside(name: str, inside: bool, changes: list[tuple[float, bytes]]) -> None:
    """Bytes changed in the archive, or within its compression; the only exception is DataError."""
    content = bytearray(SEEDS.get(name) or SEEDS["a.tar"])
    compress = DECOMPRESSED.get(name, bytes)
    if not inside:
        content, compress = bytearray(compress(bytes(content))), bytes
    for position, replacement in changes:
        at = int(position * len(content))
        content[at : at + len(replacement)] = replacement
    with tempfile.TemporaryDirectory() as outer:
        folder = Path(outer) / "work"
        folder.mkdir()
        with contextlib.suppress(DataError):
            unpack(folder, name, compress(bytes(content)), Limits(size=1 << 20))
        assert {p.name for p in folder.iterdir()} <= {name, "out"}
        assert [p.name for p in Path(outer).iterdir()] == ["work"]
        assert all(p.is_dir() or (p.is_file() and not p.is_symlink()) for p in folder.rglob("*"))


def record(key: str, value: str = "") -> bytes:
    """A record of a pax header; its length counts its own digits."""
    text = f" {key}={value}\n".encode()
    return b"%d" % next(n for n in range(len(text), len(text) + 9) if n == len(text) + len(str(n))) + text


@contextlib.contextmanager
def bounded(size: int) -> Iterator[None]:
    """Python's own memory may grow by ``size`` bytes at most."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < size
    finally:
        tracemalloc.stop()


def pax(*records: bytes) -> bytes:
    """A pax header with these records, ready to precede a member."""
    info = tarfile.TarInfo("pax")
    info.type, info.size = tarfile.XHDTYPE, sum(map(len, records))
    return info.tobuf(tarfile.USTAR_FORMAT) + b"".join(records) + bytes(-info.size % 512)


def test_a_pax_header_of_very_many_records_is_refused_at_once(tmp_path: Path) -> None:
    began = time.process_time()
    content = pax(*[b"5 a=\n"] * 200_000) + tar_of(entry("a"))
    assert "more than 4096 records" in refused(tmp_path, "a.tar", content)
    assert time.process_time() - began < 2


def test_chained_pax_headers_keep_nothing_and_end(tmp_path: Path) -> None:
    content = b"".join(pax(*(record(f"{i}-{j}") for j in range(1000))) for i in range(100)) + tar_of(entry("a"))
    with bounded(len(content) + (2 << 20)):
        message = refused(tmp_path, "a.tar", content)
    assert "an extended header of" in message and "at most" in message


def test_what_pax_headers_say_beside_path_and_size_is_passed_over(tmp_path: Path) -> None:
    content = (
        pax(record("mtime", "1.5"), record("SCHILY.xattr.user", "\0"))
        + pax(record("path", "new"))
        + tar_of(entry("old", b"1"))
    )
    assert tree(unpack(tmp_path, "a.tar", content)) == {"new": b"1"}


@pytest.mark.parametrize("kind", ["a.tar", "a.zip"])
def test_folders_in_each_other_without_end_are_refused(tmp_path: Path, kind: str) -> None:
    assert "more than 64 folders" in refused(tmp_path, kind, archive_of({"a/" * 1800 + "b": b"1"}, kind))
    assert "a name of 10001 characters" in refused(tmp_path, kind, archive_of({"a/" * 5000 + "b": b"1"}, kind))


def test_an_entry_without_a_name_is_refused(tmp_path: Path) -> None:
    named = zip_of(("x", b"1"), method=zipfile.ZIP_STORED)
    assert "without a name" in refused(tmp_path, "a.zip", with_name(named, b""))


def with_name(content: bytes, name: bytes) -> bytes:
    """A zip of one stored member called ``x``, under another name, its offsets put right."""
    local, rest = content[:30], content[31:]
    body, directory = rest.split(b"PK\1\2", 1)
    entry, end = directory.split(b"PK\5\6", 1)
    local = local[:26] + struct.pack("<2H", len(name), 0) + name
    entry = entry[:24] + struct.pack("<H", len(name)) + entry[26:42] + name
    size, offset = 4 + len(entry), len(local) + len(body)
    return local + body + b"PK\1\2" + entry + b"PK\5\6" + end[:8] + struct.pack("<2L", size, offset) + end[16:]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_a_zip_of_any_size_and_method_comes_out_whole(tmp_path: Path, method: int) -> None:
    random = np.random.default_rng(0)
    files = {str(n): random.integers(0, 3, n, np.uint8).tobytes() for n in (0, 1, 65_535, 65_536, 65_537, 3_000_000)}
    content = b"a program before it" * 100 + zip_of(*files.items(), method=method)
    assert tree(unpack(tmp_path, "a.zip", content)) == files


def test_a_zip_written_as_a_stream_with_zip64_and_a_comment_comes_out_whole(tmp_path: Path) -> None:
    buffer = Unseekable()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("ä", "b/c"):
            with archive.open(name, "w", force_zip64=True) as member:
                member.write(name.encode() * 1000)
        archive.comment = b"PK" * 1000
    assert tree(unpack(tmp_path, "a.zip", buffer.getvalue())) == {"ä": "ä".encode() * 1000, "b/c": b"b/c" * 1000}


class Unseekable(io.BytesIO):
    """A pipe, as it were."""

    def seekable(self) -> bool:
        return False

    def seek(self, place: int, way: int = 0, /) -> int:
        raise OSError("a pipe")


@pytest.mark.parametrize(
    ("method", "said"), [(zipfile.ZIP_LZMA, "method 14"), (zipfile.ZIP_STORED, "encrypted"), (1 << 7, "method 128")]
)
def test_what_cannot_be_read_in_a_zip_is_named(tmp_path: Path, method: int, said: str) -> None:
    content = bytearray(zip_of(("x", b"1"), method=method if method < 128 else zipfile.ZIP_STORED))
    directory = content.index(b"PK\1\2")
    if said == "encrypted":
        content[directory + 8] |= 1
    if method == 1 << 7:
        content[directory + 10] = method
    message = refused(tmp_path, "a.zip", bytes(content))
    assert said in message and "'x'" in message


def test_a_zip_is_read_an_entry_at_a_time(tmp_path: Path) -> None:
    """Its directory of 9 MB is not held in memory."""
    one = zip_of(("x", b""), method=zipfile.ZIP_STORED)
    begin, end = one.index(b"PK\1\2"), one.index(b"PK\5\6")
    entry = one[begin:end]
    directory = entry * 200_000
    content = one[:begin] + directory + b"PK\5\6" + bytes(8) + struct.pack("<2LH", len(directory), begin, 0)
    with bounded(2 << 20):
        assert "occurs twice" in refused(tmp_path, "a.zip", content)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_a_bomb_in_a_zip_takes_no_memory(tmp_path: Path, method: int) -> None:
    bomb = zip_of(("zeros", bytes(50_000_000)), method=method)
    with bounded(8 << 20):
        refused(tmp_path, "a.zip", bomb, Limits(size=20_000_000, ratio=10**6))
