"""Reading what others wrote: JSON, JSON lines and TOML, from regular files, of a bounded size and depth.

A run's folder is copied, mailed, downloaded, and a configuration may come from anybody. Whatever bytes are in them, the
functions here return plain values or raise OSError (the file cannot be read) or ``BadFile``, whose text names it. They
wait for nobody (a FIFO, a device and a socket are refused), take memory in proportion to the limit given, and know no
RecursionError. Of a key that stands twice the last value counts.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:  # every command reads a file here, and none needs the names of types for it
    from pathlib import Path

    from dlkit.json_types import Json, JsonObject

SETTINGS = 1 << 20
"""Largest TOML file, in bytes: a configuration of ours has some 3 kB. ``tomllib`` takes a second for a megabyte."""
RECORD = 1 << 24
"""Largest run.json, manifest or report, in bytes: one has some 3 kB, and 60 more for each metric by class."""
DOCUMENT = 1 << 26
"""Largest JSON file whose size grows with what it tells (a sample's table, a vocabulary), in bytes."""
LINE = 1 << 26
"""Longest line of JSON lines, in bytes: of fast runs one may have megabytes."""
PASSED = 1 << 29
"""Bytes that are read to find the end of a line that is too long."""
DEPTH = 100
"""Levels of lists and tables in one another. Ours have under ten, a component's ``info`` what it likes."""
DIGITS = 40
"""Digits of an integer: 2¹²⁸, which generators of random numbers count with, has 39."""

# NONBLOCK: to open a FIFO would wait for its other end. NOCTTY: a terminal would become this process's own.
FLAGS = sum(getattr(os, flag, 0) for flag in ("O_CLOEXEC", "O_NONBLOCK", "O_NOCTTY"))


class BadFile(ValueError):
    """What a file holds, or is, cannot be used; the text names it."""


def open_regular(path: str | Path) -> int:
    """A descriptor to read a regular file; links are followed. BadFile if it is something else."""
    descriptor = os.open(path, os.O_RDONLY | FLAGS)
    try:
        check_regular(descriptor, str(path))
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def check_regular(descriptor: int, name: str) -> None:
    """BadFile unless it is a regular file's."""
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        raise BadFile(f"{name}: {kind(mode)}, not a regular file")


def kind(mode: int) -> str:
    """What ``st_mode`` is of, in words."""
    named = {
        stat.S_IFREG: "a regular file",
        stat.S_IFDIR: "a folder",
        stat.S_IFLNK: "a link",
        stat.S_IFIFO: "a named pipe",
        stat.S_IFSOCK: "a socket",
    }
    return named.get(stat.S_IFMT(mode), "a device")


def read_bytes(path: str | Path, limit: int) -> bytes:
    """A regular file's bytes; BadFile if there are more than ``limit``."""
    descriptor = open_regular(path)
    try:
        return contents(descriptor, str(path), limit)
    finally:
        os.close(descriptor)


def contents(descriptor: int, name: str, limit: int) -> bytes:
    """All that is in an opened file, from where it stands; BadFile if that is more than ``limit`` bytes."""
    if (size := os.fstat(descriptor).st_size) > limit:  # before anything is read: a sparse file costs its maker nothing
        raise BadFile(f"{name}: {size} bytes, more than the {limit} that are read")
    parts = []
    left = limit + 1  # one more than allowed: it may grow while it is read
    while left > 0 and (part := os.read(descriptor, min(left, 1 << 20, size + 1))):
        parts.append(part)
        left -= len(part)
    if left <= 0:
        raise BadFile(f"{name}: more than the {limit} bytes that are read")
    return parts[0] if len(parts) == 1 else b"".join(parts)


def read_json(path: str | Path, limit: int = RECORD) -> JsonObject:
    """A file that holds one JSON object."""
    return json_object(read_bytes(path, limit), str(path))


def read_toml(path: str | Path, limit: int = SETTINGS) -> JsonObject:
    """A TOML file."""
    return parse_toml(read_bytes(path, limit), str(path))


def json_object(data: bytes, name: str, *, constants: bool = False) -> JsonObject:
    """A JSON object; BadFile with the file's ``name`` if it is not one. ``constants`` as for ``parse_json``."""
    try:
        value = parse_json(data, constants=constants)
    except ValueError as error:
        raise BadFile(f"{name}: not JSON: {error}") from error
    if not isinstance(value, dict):
        raise BadFile(f"{name}: not a JSON object")
    return value


def parse_json(data: bytes, *, constants: bool = False) -> Json:
    """Strict JSON in UTF-8; ValueError says what is wrong. ``constants``: NaN and Infinity are numbers too.

    No deeper than DEPTH, no integer longer than DIGITS.
    """
    try:
        value: Json = (_LENIENT if constants else _STRICT).decode(data.decode("utf-8"))
    except RecursionError:
        raise ValueError(_DEEP) from None  # its own traceback has a thousand lines of nothing
    # Counting takes 0.1 µs for a line: nearly all files have fewer brackets in all than may stand in one another.
    if data.count(b"[") + data.count(b"{") > DEPTH:
        _check_depth(value)
    return value


def parse_toml(data: bytes, name: str) -> JsonObject:
    """A TOML table, dates and times in it as text; BadFile with the file's ``name``, and the line and column of a
    syntax error."""
    import tomllib  # few commands read TOML, and it takes 4 ms to import

    try:
        value = tomllib.loads(data.decode("utf-8"))
        _check_depth(value)
    except RecursionError:
        raise BadFile(f"{name}: {_DEEP}") from None
    except ValueError as error:
        raise BadFile(f"{name}: {error}") from error
    return {key: _without_dates(item) for key, item in value.items()}


def _without_dates(value: object) -> Json:
    """As JSON has it: whoever reads a configuration may write it as that."""
    if isinstance(value, dict):
        return {key: _without_dates(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_dates(item) for item in value]
    if value is None or isinstance(value, str | int | float):
        return value
    return str(value)  # date, time, datetime: as TOML writes them, but for a blank between the two


def lines(file: BinaryIO, limit: int = LINE) -> Iterator[bytes]:
    """The lines of a file with their ends, from where it stands; those longer than ``limit`` bytes are passed over.

    One longer than PASSED bytes ends it.
    """
    while line := file.readline(limit):
        if len(line) < limit or line.endswith(b"\n"):
            yield line
            continue
        passed = len(line)
        while (rest := file.readline(limit)) and not rest.endswith(b"\n"):
            passed += len(rest)
            if passed > PASSED:  # a hole of a terabyte costs its maker nothing, and whoever reads it an hour
                return


_DEEP = f"more than {DEPTH} levels of lists and tables in one another"


def _integer(text: str) -> int:
    if len(text) > DIGITS:
        raise ValueError(f"a number of {len(text)} digits")
    return int(text)


def _refused(constant: str) -> float:
    raise ValueError(f"{constant} is not JSON")


_STRICT = json.JSONDecoder(parse_int=_integer, parse_constant=_refused)
_LENIENT = json.JSONDecoder(parse_int=_integer)


def _check_depth(value: Json) -> None:
    """ValueError for a value that is too deep, or an integer in it that is too long. Level by level: no recursion."""
    level: list[Json] = [value]
    for _ in range(DEPTH + 1):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return
    raise ValueError(_DEEP)


def _inside(value: Json) -> Iterator[Json]:
    """The lists and tables in a value."""
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        if isinstance(inner, (dict, list)):
            yield inner
        elif isinstance(inner, int) and inner.bit_length() > _BITS:  # TOML's hexadecimal numbers know no limit
            raise ValueError(f"a number of more than {DIGITS} digits")


_BITS = int("9" * DIGITS).bit_length()
