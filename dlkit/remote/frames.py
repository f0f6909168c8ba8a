"""What this side and the far one say to each other: frames over the two pipes of one ssh connection.

A frame is the lengths of its two parts, a JSON object, and bytes. Both sides bound what they read: a length that is too
large, a torn frame and what is no JSON are a ``BadFrame``, never memory that is gone or a read that waits for ever.

Protocol 1. The far side begins with ``MAGIC`` and a hello frame; what comes before that is what its shell's own files
print. Then each request is a frame, and its answer frames of which the last has ``done``. New requests, and new fields
that may be passed over, need no new number; whatever else changes does.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping
from typing import NamedTuple

from dlkit.bounded import parse_json
from dlkit.errors import RunError

PROTOCOL = 1
MAGIC = b"\x00dlkit-remote\x00"
_HEAD = struct.Struct(">II")
MOST_JSON = 1 << 24
MOST_BYTES = 1 << 20
"""Longest parts of a frame, in bytes; longer files come in many."""
NOISE = 1 << 16
"""Bytes that may come before the first frame."""


class BadFrame(RunError):
    """What came is none of ours."""


class Frame(NamedTuple):
    told: Mapping[str, object]
    data: bytes


Read = Callable[[int], bytes]
"""Gives exactly so many bytes, or fewer where there are no more."""


def packed(told: Mapping[str, object], data: bytes = b"") -> bytes:
    text = json.dumps(told, ensure_ascii=True, separators=(",", ":")).encode()
    return b"".join([_HEAD.pack(len(text), len(data)), text, data])


def read_frame(read: Read) -> Frame | None:
    """The next one; None where the stream ends between two. BadFrame."""
    head = read(_HEAD.size)
    if not head:
        return None
    if len(head) < _HEAD.size:
        raise BadFrame("the connection ended within a frame")
    length, size = _HEAD.unpack(head)
    if length > MOST_JSON or size > MOST_BYTES:  # before anything is read: the number is anybody's
        raise BadFrame(f"a frame of {length + size} bytes, more than there may be")
    text, data = read(length), read(size)
    if len(text) < length or len(data) < size:
        raise BadFrame("the connection ended within a frame")
    try:
        told = parse_json(text, constants=True)
    except ValueError as error:
        raise BadFrame(f"a frame that is no JSON: {error}") from error
    if not isinstance(told, dict):
        raise BadFrame("a frame that is no JSON object")
    return Frame(told, data)


def find_magic(read: Read) -> bytes:
    """Pass over what comes before the first frame, and give it. BadFrame: there is no first frame."""
    noise = bytearray()
    while not noise.endswith(MAGIC):
        byte = read(1)
        if not byte or len(noise) > NOISE:
            raise BadFrame(noise.decode("utf-8", "replace").strip()[:500])
        noise += byte
    return bytes(noise[: -len(MAGIC)])
