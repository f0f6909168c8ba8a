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
_LONGEST_EXTENSION = 1 << 20
"""Bytes of a pax header or GNU long name at most: they are read into memory."""
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


def read_tar(stream: Readable) -> Iterator[Member]:
    """The members of an uncompressed tar stream; DataError says what is wrong with it."""
    extended: dict[str, str] = {}
    while True:
        header = _Section(stream, BLOCK).all()
        # One block of zeros ends it; two are written, but some writers save the second.
        if header == bytes(BLOCK):
            return
        _check(header)
        type_, size = header[156:157], _number(header[124:136])
        if type_ in (b"x", b"g", b"L"):
            # A global pax header ("g") is read and forgotten: what git archives say there is of no use here.
            read = _extension(stream, size)
            extended |= {"path": _text(read.rstrip(b"\0"))} if type_ == b"L" else _pax(read) if type_ == b"x" else {}
            continue
        size = _size(extended["size"]) if "size" in extended else size
        name = extended.get("path") or _name(header)
        kind = _kind(type_, name, extended)
        section = _Section(stream, size if kind == "file" else 0)
        yield Member(name, kind, section)
        # Whatever the caller left: the next header begins after it.
        section.all()
        _Section(stream, -size % BLOCK if kind == "file" else 0).all()
        extended = {}


def _check(header: bytes) -> None:
    """A header's checksum: the sum of its bytes, the checksum's own counted as blanks; some writers sum signed."""
    # Old writers added up signed characters, as their compilers had them.
    rest = header[:148] + b" " * 8 + header[156:]
    unsigned, match = sum(rest), _OCTAL.match(header[148:156])
    signed = unsigned - 256 * sum(byte > 127 for byte in rest)
    if match is None or int(match[1] or b"0", 8) not in (unsigned, signed):
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


def _kind(type_: bytes, name: str, extended: dict[str, str]) -> str:
    if any(key.startswith("GNU.sparse") for key in extended):
        return "a sparse file"
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


def _extension(stream: Readable, size: int) -> bytes:
    if size > _LONGEST_EXTENSION:
        raise DataError(f"an extended header of {size} bytes (at most {_LONGEST_EXTENSION} are read)")
    content = _Section(stream, size).all()
    _Section(stream, -size % BLOCK).all()
    return content


def _pax(content: bytes) -> dict[str, str]:
    """Records ``LENGTH KEY=VALUE\\n``, LENGTH counting the whole record."""
    found = {}
    while content:
        length, blank, _ = content[:20].partition(b" ")
        size = int(length) if blank and length.isdigit() else 0
        key, equals, value = content[len(length) + 1 : size].partition(b"=")
        if not equals or value[-1:] != b"\n" or size > len(content):
            raise DataError(f"a damaged extended header: {content[:40]!r}")
        found[_text(key)] = _text(value[:-1]) if key in (b"path", b"size") else ""
        content = content[size:]
    return found


def _size(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,19}", text):
        raise DataError(f"an extended header gives the size {text!r}")
    return int(text)
