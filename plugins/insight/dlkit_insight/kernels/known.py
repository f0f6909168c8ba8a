"""Kernels as people write them: names, numbers, files. No torch, no NumPy: options are read here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

from dlkit.bounded import BadFile, read_bytes
from dlkit.errors import nearest

Rows = tuple[tuple[float, ...], ...]
"""A kernel's numbers, row by row: what a pixel of the filtered image is the sum of, each pixel around it times the
number at its place. Nothing is turned round: it is a correlation, as in OpenCV and in convolutional networks."""

LARGEST = 31
"""Rows and columns of a kernel."""
_FILE_BYTES = 1 << 16
_OTHERWISE = "; or numbers as 1,0,-1;2,0,-2;1,0,-1, or a file of them"
_GAUSS = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)

NAMED: Mapping[str, Rows] = {
    "identity": ((0, 0, 0), (0, 1, 0), (0, 0, 0)),
    "box": ((1 / 9,) * 3,) * 3,
    "gaussian": tuple(tuple(a * b for b in _GAUSS) for a in _GAUSS),
    "sharpen": ((0, -1, 0), (-1, 5, -1), (0, -1, 0)),
    "emboss": ((-2, -1, 0), (-1, 1, 1), (0, 1, 2)),
    "sobel-x": ((-1, 0, 1), (-2, 0, 2), (-1, 0, 1)),
    "sobel-y": ((-1, -2, -1), (0, 0, 0), (1, 2, 1)),
    "prewitt-x": ((-1, 0, 1),) * 3,
    "prewitt-y": ((-1, -1, -1), (0, 0, 0), (1, 1, 1)),
    "scharr": ((-3, 0, 3), (-10, 0, 10), (-3, 0, 3)),
    "scharr-y": ((-3, -10, -3), (0, 0, 0), (3, 10, 3)),
    "laplacian": ((0, 1, 0), (1, -4, 1), (0, 1, 0)),
    "outline": ((-1, -1, -1), (-1, 8, -1), (-1, -1, -1)),
}
"""``gaussian`` is OpenCV's of 5 × 5 (the binomial coefficients), ``laplacian`` its of ``ksize`` 1, ``scharr`` the one
for vertical edges."""


def parse(text: str) -> dict[str, Rows]:
    """Kernels by name: ``sobel-x,laplacian``, ``1,0,-1;2,0,-2;1,0,-1``, a file of such rows, and several of those with
    ``|`` between them. ``NAME=ROWS`` gives numbers a name. ValueError says what cannot be read, and what can."""
    found: dict[str, Rows] = {}
    for part in filter(None, (part.strip() for part in text.split("|"))):
        names = [part] if _is_numbers(part.rpartition("=")[2]) else [name.strip() for name in part.split(",")]
        for name in names:
            label, rows = _one(name)
            if label in found:
                raise ValueError(f"kernel {label!r} is there twice")
            found[label] = rows
    if not found:
        raise ValueError(f"no kernel; {nearest('', NAMED)}{_OTHERWISE}")
    return found


def written(kernels: Mapping[str, Rows]) -> str:
    """The text that ``parse`` reads back: what came out of a file is in it, so that the file may be gone."""
    return "|".join(name if NAMED.get(name) == rows else f"{name}={_text(rows)}" for name, rows in kernels.items())


def _one(text: str) -> tuple[str, Rows]:
    label, equals, numbers = text.rpartition("=")
    if _is_numbers(numbers):
        rows = _rows(re.split(r"[;\n]", numbers), f"kernel {text!r}")
        return (label.strip() if equals else f"{len(rows)}×{len(rows[0])}"), rows
    if text in NAMED:
        return text, NAMED[text]
    path = Path(text).expanduser()
    if path.is_file():
        return path.stem, _from_file(path)
    if path.suffix or "/" in text:
        raise ValueError(f"{text}: no such file")
    raise ValueError(f"no kernel {text!r}: {nearest(text, NAMED)}{_OTHERWISE}")


def _from_file(path: Path) -> Rows:
    try:
        text = read_bytes(path, _FILE_BYTES).decode()
    except (OSError, BadFile, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: not a file of rows of numbers: {error}") from error
    return _rows([line for line in re.split(r"[;\n]", text) if line.strip()], str(path))


def _rows(lines: list[str], what: str) -> Rows:
    rows = [tuple(_number(cell, f"{what}: row {n}") for cell in _cells(line)) for n, line in enumerate(lines, 1)]
    if not rows or not rows[0]:
        raise ValueError(f"{what}: no numbers")
    for number, row in enumerate(rows, 1):
        if len(row) != len(rows[0]):
            raise ValueError(
                f"{what} is not a rectangle: row {number} has {len(row)} numbers, row 1 has {len(rows[0])}"
            )
    if max(len(rows), len(rows[0])) > LARGEST:
        raise ValueError(f"{what} has {len(rows)} × {len(rows[0])} numbers: {LARGEST} × {LARGEST} at most")
    return tuple(rows)


def _cells(line: str) -> list[str]:
    return [cell for cell in re.split(r"[,\s]+", line.strip()) if cell]


def _number(cell: str, where: str) -> float:
    try:
        found = float(Fraction(cell))
    except (ValueError, ZeroDivisionError, OverflowError) as error:
        raise ValueError(f"{where}: {cell!r} is not a number") from error
    if abs(found) > 1e6:
        raise ValueError(f"{where}: {cell} is too large: a million at most")
    return found


def _is_numbers(text: str) -> bool:
    return re.match(r"\s*[-+]?\.?\d[\d.,;/eE+\-\s]*\Z", text) is not None or ";" in text


def _text(rows: Rows) -> str:
    return ";".join(",".join(f"{number:.17g}" for number in row) for row in rows)
