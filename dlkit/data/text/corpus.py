"""Text files, decoded or refused with the place where they stop being text; and the text that Python itself carries."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from pathlib import Path

from dlkit.bounded import BadFile, read_bytes
from dlkit.data.files import visible_files
from dlkit.errors import DataError, UsageError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte order marks; that of UTF-32 begins with that of UTF-16."""
AUTO = "auto"
_LARGEST = 1 << 36
"""Bytes of a text: it is held in memory, but who has that may have it."""


def read_text(path: Path, encoding: str = AUTO) -> str:
    """A file's text with ``\\n`` line ends. ``auto``: what its byte order mark says, else UTF-8.

    DataError if it cannot be read, holds nothing but white space, or is not of that encoding (with byte and line);
    UsageError for an encoding that Python does not know.
    """
    try:
        data = read_bytes(path, _LARGEST)
    except (OSError, BadFile) as error:
        raise DataError(f"{path}: {getattr(error, 'strerror', '') or error}") from error
    # Line ends of other systems would be tokens of their own.
    text = decoded(data, path, encoding).replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise DataError(f"{path}: holds no text")
    return text


def decoded(data: bytes, path: Path, encoding: str = AUTO) -> str:
    """Bytes of a file as text; errors as ``read_text`` has them."""
    name = next((name for mark, name in _MARKS if data.startswith(mark)), "utf-8") if encoding == AUTO else encoding
    try:
        if "\0" in name or not codecs.lookup(name)._is_text_encoding:  # what bytes.decode asks too
            raise LookupError(name)
    except LookupError as error:
        raise UsageError(f"unknown encoding {name!r}; known are utf-8, utf-16, latin-1, cp1252, … and auto") from error
    try:
        return data.decode(name)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{path}: line {line}: byte 0x{data[error.start]:02x} at {error.start} is not {name}; "
            "name another encoding (dataset.encoding: latin-1, cp1252, utf-16, …) or save the file as UTF-8"
        ) from error
    except UnicodeError as error:  # of codecs that are for names of hosts
        raise DataError(f"{path}: is not {name}: {error}") from error


def text_files(place: Path, suffixes: Sequence[str] = (".txt", ".md")) -> list[Path]:
    """The file itself, or the text files of a folder and below, sorted by path; DataError if there are none."""
    if place.is_file():
        return [place]
    if not place.is_dir():
        raise DataError(f"{place}: no such file or folder")
    files = visible_files(place, suffixes)
    if not files:
        raise DataError(f"{place}: holds no text files ({', '.join(suffixes)})")
    return files


def python_docs() -> list[str]:
    """The chapters of Python's language reference that its ``help()`` shows: some 65 000 words of English.

    They come with the interpreter, so their wording is its version's. Without the lines of signs under headings.
    """
    from pydoc_data.topics import topics

    return ["\n".join(_without_rules(topics[name].splitlines())).strip() for name in sorted(topics)]


def _without_rules(lines: Sequence[str]) -> list[str]:
    # Rules under headings, of up to 80 signs, would be learnt as the likeliest of all lines.
    return [line for line in lines if not line.strip() or line.strip().strip("*=-~^\"'+") or len(line.strip()) < 4]
