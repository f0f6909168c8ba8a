"""What lies in a source's folder, compared with its declared layout. Light: ``dlkit tasks`` asks it of every source."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dlkit.components import LayoutFile, SourceSpec


def status(spec: SourceSpec, data: Path) -> str:
    """``"present"`` (its layout is there), ``"incomplete"``, ``"absent"``, or ``"unreadable"``, where somebody else
    keeps it to himself; looks at names and sizes only."""
    folder = data / spec.name
    try:
        # A folder without anything in it is not half a source: somebody made it, and nothing came.
        if not folder.is_dir() or not any(folder.iterdir()):
            return "absent"
        return "incomplete" if any(structural_problems(spec, folder)) else "present"
    except PermissionError:
        return "unreadable"


def verify(spec: SourceSpec, data: Path) -> list[str]:
    """What is wrong with a source's files: missing, of another size, of another SHA-256 (each where declared)."""
    folder = data / spec.name
    problems = list(structural_problems(spec, folder))
    for file in spec.layout:
        path = folder / file.path
        # A file of the wrong size is reported above; hashing it would take long to say the same.
        if file.sha256 and path.is_file() and size_problem(file, path) is None:
            digest = file_sha256(path)
            if digest != file.sha256.lower():
                problems.append(f"{path}: SHA-256 {digest}, expected {file.sha256}")
    return problems


def structural_problems(spec: SourceSpec, folder: Path) -> Iterator[str]:
    """Files of the layout that are missing or of another size."""
    for file in spec.layout:
        path = folder / file.path
        if not path.is_file():
            yield f"{path} is missing"
        elif problem := size_problem(file, path):
            yield problem


def size_problem(file: LayoutFile, path: Path) -> str | None:
    """What to say of a file of another size than declared."""
    found = path.stat().st_size
    return f"{path}: {found} bytes, expected {file.size}" if file.size and found != file.size else None


def file_sha256(path: Path) -> str:
    """A file's SHA-256 in hexadecimal digits."""
    import hashlib

    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
