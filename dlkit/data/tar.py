"""Reading tar as a stream, by ourselves: ustar, pax and GNU long names, and nothing that could hurt.

Only headers that describe one regular file or folder are understood; everything else is named, for the extractor to
refuse. Memory is bounded whatever a header says. The format: POSIX.1-2017, ``pax``, "ustar Interchange Format".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from dlkit.errors import DataError

BLOCK = 512
_CHUNK = 1 << 20
_LONGEST_EXTENSION = 1 << 20
"""Bytes of all the pax headers and GNU long names before a member at most: they are read into memory."""
_MOST_EXTENSIONS, _MOST_RECORDS = 16, 4096
"""Such headers before a member, and records in one of them, at most: writers need two, and some twenty."""
_OCTAL = re.compile(rb"[ \0]*([0-7]*)[ \0]*\Z")
_OTHERS = {
    b"1": "a hard link",
    b"2": "a symbolic link",
    b"3": "a character device",
    b"4": "a block device",
    b"6": "a named pipe",
    b"S": "a sparse file",
}


class Readable(Protocol):
    """What is read from."""

    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True)
class Member:
    """One entry of an archive. ``kind``: ``"file"``, ``"folder"``, or in words what it is instead (``"a hard link"``).

    ``content`` is read to its end before the next member is asked for.
    """

    name: str
    kind: str
    content: Readable


class _Section:
    """The next ``size`` bytes of a stream."""

    def __init__(self, stream: Readable, size: int) -> None:
        self._stream, self.left = stream, size

    def read(self, size: int, /) -> bytes:
        chunk = self._stream.read(min(size, self.left))
        if not chunk and min(size, self.left):
            raise DataError(f"truncated: {self.left} bytes of a member are missing")
        self.left -= len(chunk)
        return chunk

    def all(self) -> bytes:
        parts = []
        while self.left:
            parts.append(self.read(self.left))
        return b"".join(parts)


@dataclass
class _Extended:
    """What the extended headers before a member say of it; of anything else nothing is kept."""

    path: str = ""
    size: str = ""
    sparse: bool = False
    headers: int = 0
    length: int = 0

    def read(self, stream: Readable, type_: bytes, size: int) -> None:
        """One more header, of ``size`` bytes."""
        self.headers, self.length = self.headers + 1, self.length + size
        # Together, not each: a member with ten thousand of them is described by none.
        if self.length > _LONGEST_EXTENSION or self.headers > _MOST_EXTENSIONS:
            most = f"at most {_LONGEST_EXTENSION} bytes in {_MOST_EXTENSIONS} headers are read"
            raise DataError(f"an extended header of {size} bytes, with {self.headers - 1} before it ({most})")
        content = _Section(stream, size).all()
        _Section(stream, -size % BLOCK).all()
        if type_ == b"L":
            self.path = _text(content.rstrip(b"\0"))
        # A global pax header ("g") is read and forgotten: what git archives say there is of no use here.
        elif type_ == b"x":
            self._take(content)

    def _take(self, content: bytes) -> None:
        for key, value in _records(content):
            if key == b"path":
                self.path = _text(value)
            elif key == b"size":
                self.size = _text(value)
            elif key.startswith(b"GNU.sparse"):
                self.sparse = True


def read_tar(stream: Readable) -> Iterator[Member]:
    """The members of an uncompressed tar stream; DataError says what is wrong with it."""
    extended = _Extended()
    while True:
        header = _Section(stream, BLOCK).all()
        # One block of zeros ends it; two are written, but some writers save the second.
        if header == bytes(BLOCK):
            return
        _check(header)
        type_, size = header[156:157], _number(header[124:136])
        if type_ in (b"x", b"g", b"L"):
            extended.read(stream, type_, size)
            continue
        size = _size(extended.size) if extended.size else size
        name = extended.path or _name(header)
        kind = "a sparse file" if extended.sparse else _kind(type_, name)
        section = _Section(stream, size if kind == "file" else 0)
        yield Member(name, kind, section)
        # Whatever the caller left: the next header begins after it.
        while section.left:
            section.read(_CHUNK)
        _Section(stream, -size % BLOCK if kind == "file" else 0).all()
        extended = _Extended()


def _check(header: bytes) -> None:
    """A header's checksum: the sum of its bytes, the checksum's own counted as blanks; some writers sum signed."""
    rest = header[:148] + b" " * 8 + header[156:]
    unsigned, match = sum(rest), _OCTAL.match(header[148:156])
    written = int(match[1] or b"0", 8) if match else -1
    # Old writers added up signed characters, as their compilers had them. Looked at last: it takes ten times as long.
    if written != unsigned and written != unsigned - 256 * sum(byte > 127 for byte in rest):
        raise DataError("not a tar archive, or a damaged one: a header's checksum is wrong")


def _number(field: bytes) -> int:
    """Octal digits, or (GNU) base 256 with the highest bit set."""
    # Twelve octal digits end at 8 GiB; larger files are written this way.
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    match = _OCTAL.match(field)
    if match is None:
        raise DataError(f"a header has {field!r} where a number should be")
    return int(match[1] or b"0", 8)


def _kind(type_: bytes, name: str) -> str:
    if type_ == b"5" or (type_ == b"\0" and name.endswith("/")):
        return "folder"
    if type_ in (b"0", b"\0", b"7"):
        return "file"
    return _OTHERS.get(type_, f"of the unknown type {type_!r}")


def _name(header: bytes) -> str:
    name = header[:100].partition(b"\0")[0]
    prefix = header[345:500].partition(b"\0")[0]
    if header[257:263] == b"ustar\0" and prefix:
        name = prefix + b"/" + name
    return _text(name)


def _text(name: bytes) -> str:
    try:
        # Strictly: a name that is guessed at may become another file's name.
        return name.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"the name {name[:100]!r} is not UTF-8") from error


def _records(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """A pax header's keys and values: records ``LENGTH KEY=VALUE\\n``, LENGTH counting the whole record."""
    begin = 0
    for _ in range(_MOST_RECORDS):
        if begin == len(content):
            return
        digits, blank, _ = content[begin : begin + 20].partition(b" ")
        end = begin + (int(digits) if blank and digits.isdigit() else 0)
        key, equals, value = content[begin + len(digits) + 1 : end].partition(b"=")
        if not equals or value[-1:] != b"\n" or end > len(content):
            raise DataError(f"a damaged extended header: {content[begin : begin + 40]!r}")
        yield key, value[:-1]
        begin = end
    raise DataError(f"an extended header with more than {_MOST_RECORDS} records")


def _size(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,19}", text):
        raise DataError(f"an extended header gives the size {text!r}")
    return int(text)
