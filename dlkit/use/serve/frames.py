"""What the listening process and a worker say to each other: a JSON object, and bytes beside it, by length."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from typing import IO, NamedTuple

from dlkit.json_types import Settings
from dlkit.strict_numbers import encode

HEAD = struct.Struct("<II")
"""Bytes of the JSON, and how many parts of bytes follow, each after its own length."""
LENGTH = struct.Struct("<I")
Told = dict[str, object]
"""JSON values by name."""


class Frame(NamedTuple):
    told: dict[str, object]
    parts: list[bytes]


def packed(told: Settings, parts: Sequence[bytes] = ()) -> bytes:
    text = json.dumps(encode(dict(told)), ensure_ascii=False, allow_nan=False, default=_plain).encode(
        "utf-8", "replace"
    )
    return b"".join([HEAD.pack(len(text), len(parts)), text, *(LENGTH.pack(len(part)) + part for part in parts)])


def read_frame(stream: IO[bytes]) -> Frame | None:
    """The next one; None at the end of the stream."""
    head = stream.read(HEAD.size)
    if len(head) < HEAD.size:
        return None
    length, count = HEAD.unpack(head)
    told = json.loads(stream.read(length))
    return Frame(told, [stream.read(*LENGTH.unpack(stream.read(LENGTH.size))) for _ in range(count)])


def _plain(value: object) -> object:
    """Arrays and tensors as lists of numbers."""
    if hasattr(value, "tolist"):
        return encode(value.tolist())
    raise TypeError(f"{type(value).__name__} is not a JSON value")
