"""An exported folder: what lies in it, read with care and without torch.

``export.json`` says what it is and names every other file with its size and hash; ``given.json``, ``given.npz`` and
files of bytes are what the answering was given; the networks lie beside them.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np

from dlkit.answering import Given
from dlkit.bounded import DOCUMENT, RECORD, BadFile, read_bytes, read_json
from dlkit.errors import RunError, UsageError
from dlkit.folders import has_file
from dlkit.json_types import JsonObject
from dlkit.shapes import anything, fields, list_of, or_none, table_of, text, whole

FORMAT = 1
RECORD_FILE = "export.json"
GIVEN, ARRAYS = "given.json", "given.npz"
_LARGEST = 1 << 37
"""Bytes of a network that are read."""

_GRAPH = fields(
    name=text,
    file=text,
    int8=or_none(text),
    inputs=list_of(fields(name=text, dtype=text, axes=list_of(text))),
    outputs=list_of(text),
)
_SHAPE = fields(
    format=whole(1),
    kind=text,
    run=text,
    task=text,
    model=text,
    dataset=text,
    inference=text,
    answers=text,
    checkpoint=text,
    step=whole(),
    made_by=text,
    opset=or_none(whole()),
    graphs=list_of(_GRAPH),
    bytes=table_of(text),
    files=table_of(fields(size=whole(), sha256=text)),
    needs=list_of(text),
    schema=anything,
)
_NEEDED = ("format", "kind", "run", "task", "inference", "answers", "graphs", "files")


Entry = Mapping[str, Any]
"""A file's ``size`` and ``sha256``."""


@dataclass(frozen=True)
class Record:
    """What ``export.json`` says.

    kind      safetensors, torch or onnx
    made_by   the release of dlkit, and what else took part, as ``dlkit 0.1.0, torch 2.11.0``
    answers   the answering, as ``package.module:Class``; empty: this kind has none
    graphs    each network's ``name``, ``file``, ``int8`` (its smaller twin's file, or None), ``inputs`` (``name``,
              ``dtype`` and ``axes`` by name: those in ``open`` have any size) and ``outputs``
    bytes     given things that are files: name → file
    needs     what run.py wants installed
    schema    what it can be asked, and answers, as ``Predictor.schema`` had it
    """

    kind: str
    run: str
    task: str
    inference: str
    answers: str
    model: str = ""
    dataset: str = ""
    checkpoint: str = ""
    step: int = 0
    made_by: str = ""
    graphs: Sequence[Mapping[str, Any]] = ()
    opset: int | None = None
    bytes: Mapping[str, str] = field(default_factory=dict)
    needs: Sequence[str] = ()
    schema: JsonObject = field(default_factory=dict)
    files: Mapping[str, Entry] = field(default_factory=dict)
    format: int = FORMAT


def is_exported(path: Path) -> bool:
    """Whether somebody names an exported folder."""
    return has_file(path, RECORD_FILE)


def read_record(folder: Path) -> Record:
    """RunError says what is wrong with the folder: newer than this release, damaged, a file missing or altered."""
    where = folder / RECORD_FILE
    try:
        found = read_json(where, RECORD)
    except FileNotFoundError as error:
        raise UsageError(f"{folder}: no exported folder: it has no {RECORD_FILE}") from error
    except (OSError, BadFile) as error:
        raise RunError(str(error) if isinstance(error, BadFile) else f"{where}: {error.strerror}") from error
    number = found.get("format")
    if isinstance(number, int) and not isinstance(number, bool) and number > FORMAT:
        raise RunError(
            f"{folder}: exported in format {number}, by a newer release than this one, which reads formats up to "
            f"{FORMAT}: update dlkit, or ask it by its own run.py"
        )
    missing = [name for name in _NEEDED if name not in found]
    if wrong := (f"{', '.join(missing)} missing" if missing else _SHAPE(found, "")):
        raise RunError(f"{where}: {wrong}")
    known = {name: value for name, value in found.items() if name in Record.__dataclass_fields__}
    record = Record(**cast(dict[str, Any], known))
    _check_files(folder, record)
    return record


def _check_files(folder: Path, record: Record) -> None:
    used = [graph["file"] for graph in record.graphs] + [graph["int8"] for graph in record.graphs if graph.get("int8")]
    for name in [*record.files, *used, *record.bytes.values()]:
        # A folder that somebody sent names what is opened: nothing but what lies in it itself.
        if Path(name).is_absolute() or ".." in Path(name).parts or not name:
            raise RunError(f"{folder / RECORD_FILE}: {name!r} is not a file of this folder")
    if unlisted := [name for name in [*used, *record.bytes.values()] if name not in record.files]:
        raise RunError(f"{folder / RECORD_FILE}: {unlisted[0]!r} is used, and is none of its files")
    for name, entry in record.files.items():
        if wrong := _problem(folder / name, entry):
            raise RunError(f"{folder / name}: {wrong}; export the run again")


def _problem(path: Path, entry: Entry) -> str:
    try:
        if not path.is_file():
            return "is no file" if path.exists() else "is missing"
        if (there := path.stat().st_size) != entry["size"]:
            return f"has {there} bytes, not {entry['size']}"
        found = _hash(path)  # by parts: a network may be larger than memory
    except OSError as error:
        return str(error)
    return "" if found == entry["sha256"] else "is not what was exported: its SHA-256 differs"


def write_record(folder: Path, record: Record) -> None:
    """Writes it last, naming all that lies in the folder by then."""
    files = {
        str(path.relative_to(folder)): {"size": path.stat().st_size, "sha256": _hash(path)}
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    content = {**asdict(record), "files": files}
    (folder / RECORD_FILE).write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_given(folder: Path, given: Given) -> dict[str, str]:
    """JSON values, arrays and bytes as files; the names of those that are bytes."""
    arrays = {name: value for name, value in given.items() if isinstance(value, np.ndarray)}
    files = {name: value for name, value in given.items() if isinstance(value, bytes)}
    plain = {name: value for name, value in given.items() if name not in arrays and name not in files}
    (folder / GIVEN).write_text(json.dumps(plain, ensure_ascii=False) + "\n", encoding="utf-8")
    if arrays:
        np.savez(folder / ARRAYS, **arrays)  # type: ignore[arg-type]
    for name, value in files.items():
        (folder / name).write_bytes(value)
    return {name: name for name in files}


def read_given(folder: Path, record: Record) -> Given:
    """What ``write_given`` wrote; RunError says what cannot be read."""
    try:
        given: dict[str, Any] = dict(read_json(folder / GIVEN, DOCUMENT))
        if ARRAYS in record.files:
            data = io.BytesIO(read_bytes(folder / ARRAYS, _LARGEST))
            with np.load(data, allow_pickle=False) as arrays:
                given |= {name: arrays[name] for name in arrays.files}
        given |= {name: read_bytes(folder / file, _LARGEST) for name, file in record.bytes.items()}
    # NumPy's reader raises what its parsers raise.
    except (OSError, ValueError, KeyError, EOFError, SyntaxError) as error:
        raise RunError(f"{folder}: what its answering was given cannot be read: {error}") from error
    return given
