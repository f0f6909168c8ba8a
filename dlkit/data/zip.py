"""Reading zip member by member, by ourselves: the directory an entry at a time, no member faster than it is asked for.

``zipfile`` holds the whole directory in memory, at several times its size, and decompresses bzip2 and LZMA by the
megabyte of input, which may be gigabytes of output. The format: PKWARE's APPNOTE.TXT 6.3.10, zip64 included.
"""

from __future__ import annotations

import bz2
import stat
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Protocol

from dlkit.data.tar import Member
from dlkit.errors import DataError

_CHUNK = 1 << 16
_END, _END64, _LOCATOR64 = struct.Struct("<4s4H2LH"), struct.Struct("<4sQ2H2L4Q"), struct.Struct("<4sLQL")
_ENTRY, _LOCAL = struct.Struct("<4s6H3L5H2L"), struct.Struct("<4s5H3L2H")
_LONGEST_COMMENT = 0xFFFF
_IN_EXTRA = 0xFFFFFFFF
"""Of a size or offset: it stands in the zip64 field."""
_ENCRYPTED, _UTF8 = 0x2041, 0x0800
"""Flags of an entry: encrypted in either way, or its directory is; its name is UTF-8."""


class _Decoder(Protocol):
    """As ``bz2.BZ2Decompressor`` is: gives at most ``max_length`` bytes, and keeps the rest for the next call."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _Deflated:
    """zlib's decompressor, asked as bzip2's is."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(-zlib.MAX_WBITS)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._inner.eof

    def decompress(self, data: bytes, max_length: int) -> bytes:
        found = self._inner.decompress(self._inner.unconsumed_tail + data, max_length)
        # What fills the whole length may have more behind it, though all input is taken.
        self.needs_input = not self._inner.unconsumed_tail and len(found) < max_length
        return found


_DECODERS: dict[int, Callable[[], _Decoder]] = {8: _Deflated, 12: bz2.BZ2Decompressor}
_STORED = 0


@dataclass(frozen=True)
class _Entry:
    """One entry of the directory; ``raw`` is the name as it is written."""

    raw: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    attributes: int
    offset: int

    @property
    def name(self) -> str:
        try:
            return self.raw.decode("utf-8" if self.flags & _UTF8 else "cp437")
        except UnicodeDecodeError as error:
            raise DataError(f"the name {self.raw[:100]!r} is not UTF-8") from error

    @property
    def kind(self) -> str:
        mode = stat.S_IFMT(self.attributes >> 16)
        if stat.S_ISLNK(mode):
            return "a symbolic link"
        if mode not in (0, stat.S_IFREG, stat.S_IFDIR):
            return "neither a regular file nor a folder"
        return "folder" if self.raw.endswith(b"/") else "file"


def read_zip(file: IO[bytes]) -> Iterator[Member]:
    """The members of a zip file in the order of its directory; DataError says what is wrong with it."""
    begin, end, shift = _directory(file)
    while begin < end:
        entry, begin = _entry(file, begin, end)
        yield Member(entry.name, entry.kind, _Content(file, entry, shift))


def _directory(file: IO[bytes]) -> tuple[int, int, int]:
    """Where the directory begins and ends, and by how much the archive is shifted (a program may stand before it)."""
    length = file.seek(0, 2)
    tail_begin = max(0, length - _END.size - _LONGEST_COMMENT)
    tail = _at(file, tail_begin, length - tail_begin)
    # The last of them: a comment, which may hold anything, is behind the record.
    place = tail.rfind(b"PK\5\6", 0, len(tail) - _END.size + 4)
    if place < 0:
        raise DataError("not a zip archive, or a truncated one: its end record is missing")
    *_, size, offset, _ = _END.unpack_from(tail, place)
    size, offset, end = _directory64(file, size, offset, tail_begin + place)
    shift = end - size - offset
    if shift < 0:
        raise DataError("its directory is said to lie where it cannot")
    return end - size, end, shift


def _directory64(file: IO[bytes], size: int, offset: int, end: int) -> tuple[int, int, int]:
    """The directory's size and offset by the zip64 end record, where there is one, and where the directory ends."""
    locator = _at(file, end - _LOCATOR64.size, _LOCATOR64.size) if end >= _LOCATOR64.size + _END64.size else b""
    if not locator.startswith(b"PK\6\7"):
        return size, offset, end
    # Right before its locator, as writers put it: with a program before the archive its written offset is wrong.
    end -= _LOCATOR64.size + _END64.size
    record = _at(file, end, _END64.size)
    if not record.startswith(b"PK\6\6"):
        raise DataError("its zip64 end record is missing")
    *_, size, offset = _END64.unpack(record)
    return size, offset, end


def _entry(file: IO[bytes], begin: int, end: int) -> tuple[_Entry, int]:
    """The directory's entry at ``begin``, and where the next one begins."""
    fields = _ENTRY.unpack(_at(file, begin, _ENTRY.size))
    signature, _, _, flags, method, _, _, crc, packed, size, long_name, long_extra, long_comment, _, _ = fields[:15]
    attributes, offset = fields[15:]
    following = begin + _ENTRY.size + long_name + long_extra + long_comment
    if signature != b"PK\1\2" or following > end:
        raise DataError("its directory is damaged")
    # Each at most 64 KiB, so whatever the directory says.
    variable = _at(file, begin + _ENTRY.size, long_name + long_extra)
    size, packed, offset = _sizes64(variable[long_name:], [size, packed, offset])
    return _Entry(variable[:long_name], flags, method, crc, packed, size, attributes, offset), following


def _sizes64(extra: bytes, values: list[int]) -> list[int]:
    """Size, packed size and offset, those that are too large for 32 bits taken from the zip64 field."""
    while _IN_EXTRA in values and len(extra) >= 4:
        kind, length = struct.unpack_from("<2H", extra)
        if kind == 1:
            wanted = [i for i, value in enumerate(values) if value == _IN_EXTRA]
            found = struct.unpack_from(f"<{min(len(wanted), length // 8)}Q", extra.ljust(4 + length, b"\0"), 4)
            for i, value in zip(wanted, found, strict=False):
                values[i] = value
            return values
        extra = extra[4 + length :]
    return values


class _Content:
    """What is in a member, decompressed as it is asked for; its size and checksum are compared at its end."""

    def __init__(self, file: IO[bytes], entry: _Entry, shift: int) -> None:
        self._file, self._entry, self._shift = file, entry, shift
        self._decoder: _Decoder | None = None
        self._begin, self._left = -1, entry.packed
        self._crc = self._count = 0

    def read(self, size: int, /) -> bytes:
        if self._begin < 0:
            self._open()
        chunk = self._next(size)
        self._crc, self._count = zlib.crc32(chunk, self._crc), self._count + len(chunk)
        # At once, not at the end: what lies about its size may go on for ever.
        if self._count > self._entry.size or (not chunk and self._count < self._entry.size):
            raise DataError(f"it is not of the {self._entry.size} bytes that the directory says")
        if not chunk and self._crc != self._entry.crc:
            raise DataError("its checksum is wrong")
        return chunk

    def _next(self, size: int) -> bytes:
        """What comes next, decompressed; nothing, at the end."""
        if self._decoder is None:
            return self._packed(size) if self._left else b""
        while not self._decoder.eof:
            chunk = self._decoder.decompress(self._packed(_CHUNK) if self._decoder.needs_input else b"", size)
            if chunk:
                return chunk
        return b""

    def _packed(self, size: int) -> bytes:
        """The next bytes as they are stored."""
        if not self._left:
            raise DataError("truncated: it has no end")
        data = _at(self._file, self._begin, min(size, self._left))
        self._begin, self._left = self._begin + len(data), self._left - len(data)
        return data

    def _open(self) -> None:
        """Find where the content begins; DataError for what cannot be read."""
        entry, place = self._entry, self._entry.offset + self._shift
        if entry.flags & _ENCRYPTED:
            raise DataError("it is encrypted")
        if entry.method != _STORED and entry.method not in _DECODERS:
            raise DataError(f"compressed by method {entry.method}; only stored, deflate (8) and bzip2 (12) are read")
        signature, *_, long_name, long_extra = _LOCAL.unpack(_at(self._file, place, _LOCAL.size))
        # Readers that go by the one and by the other would see two different archives.
        if signature != b"PK\3\4" or _at(self._file, place + _LOCAL.size, long_name) != entry.raw:
            raise DataError("its own header is another than the directory's entry")
        self._begin = place + _LOCAL.size + long_name + long_extra
        # Some writers say "deflated" of nothing at all, and write nothing.
        self._decoder = None if entry.method == _STORED or not entry.packed else _DECODERS[entry.method]()


def _at(file: IO[bytes], place: int, size: int) -> bytes:
    """``size`` bytes from ``place``; DataError if the file has ended before."""
    file.seek(place)
    data = file.read(size)
    if len(data) < size:
        raise DataError(f"truncated: it ends at byte {place + len(data)}, within what is said to be there")
    return data
