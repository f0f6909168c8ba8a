"""Where answers go that somebody wants as files: pictures in a folder, a table, or a line each."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import StringIO
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from dlkit.errors import UsageError
from dlkit.present.output import say
from dlkit.strict_numbers import encode

if TYPE_CHECKING:
    from dlkit.predictor import Answer, AnyPredictor
    from dlkit.use.export.exported import Exported

TABLES = (".csv", ".jsonl")
"""What a file of answers ends with; any other ``-o`` is a folder of pictures."""


class Pictures:
    """A PNG for every answer, named as the input file is, and what belongs to it, in a folder.

    Files of an earlier call are written over; an input file never is (``inputs``: all that are asked about), and of two
    inputs of one name each gets its own.
    """

    def __init__(self, predictor: AnyPredictor | Exported, folder: Path, inputs: Iterable[object]) -> None:
        self._predictor, self._folder = predictor, folder
        self._asked = {Path(value).resolve() for value in inputs if isinstance(value, (str, Path))}
        self._taken: set[Path] = set()
        self._number = 0
        self._first: Path | None = None

    def drawn(self, value: object, answer: Answer) -> Answer:
        """The answer with its ``picture``."""
        self._number += 1
        with writing(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            others = self._predictor.files(value, answer)
            stem = self._predictor.stem(value) or f"input-{self._number}"
            paths = _free(self._folder, stem, [".png", *others], self._asked | self._taken)
            self._taken |= {path.resolve() for path in paths}
            self._predictor.draw(value, answer).save(paths[0])
            for path, content in zip(paths[1:], others.values(), strict=True):
                path.write_bytes(content)
        self._first = self._first or paths[0]
        beside = {suffix.lstrip("."): str(path) for suffix, path in zip(others, paths[1:], strict=True)}
        return {**answer, "picture": str(paths[0]), **beside}

    def tell(self) -> None:
        """How many there are, and where."""
        if self._number:
            one = self._number == 1
            say(f"wrote {self._first}" if one else f"wrote {self._number} pictures into {self._folder}")


class AnswerFile:
    """A file of answers, which is there when all are: JSON Lines as they come, CSV with a column for each key."""

    def __init__(self, path: Path) -> None:
        self._path, self._hidden = path, path.with_name(f".{path.name}.{os.getpid()}.part")
        self._file: TextIO | None = None
        self._rows: list[Mapping[str, object]] = []
        self._number = 0

    def __enter__(self) -> AnswerFile:
        with writing(self._path):
            self._file = self._hidden.open("w", encoding="utf-8", newline="")
        return self

    def add(self, answer: Mapping[str, object]) -> None:
        self._number += 1
        if self._path.suffix.lower() == ".csv":
            self._rows.append(answer)  # columns are known when all are
            return
        assert self._file is not None
        with writing(self._path):
            self._file.write(json_line(answer) + "\n")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        assert self._file is not None
        with self._file, writing(self._path):
            if kind is None and self._rows:
                self._file.write(as_csv(self._rows))
        if kind is not None:
            self._hidden.unlink(missing_ok=True)
            return
        with writing(self._path):
            self._hidden.replace(self._path)
        say(f"wrote {self._number} answers into {self._path}")


def json_line(answer: Mapping[str, object]) -> str:
    return json.dumps(encode(dict(answer)), ensure_ascii=False, allow_nan=False)


def as_csv(rows: Sequence[Mapping[str, object]]) -> str:
    """With a header; lists and objects are JSON in their cell."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(names)
    table.writerows([_cell(row.get(name)) for name in names] for row in rows)
    return text.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, (list, dict, tuple)):
        return json.dumps(encode(value), ensure_ascii=False)
    return "" if value is None else value


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """UsageError where the system does not let it be written."""
    try:
        yield
    except OSError as error:
        raise UsageError(f"-o {path}: cannot be written: {error.strerror or error}") from error


def _free(folder: Path, stem: str, suffixes: Sequence[str], taken: set[Path]) -> list[Path]:
    """``STEM`` with each suffix, or ``STEM-2`` and so on where one of those is taken."""
    names = chain([stem], (f"{stem}-{number}" for number in count(2)))
    candidates = ([folder / f"{name}{suffix}" for suffix in suffixes] for name in names)
    return next(paths for paths in candidates if taken.isdisjoint(path.resolve() for path in paths))
