"""Reports as files: whole or not at all, and never over what is none."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from dlkit.errors import UsageError
from dlkit.report.blocks import Document

MARK = "<!-- report of dlkit -->"
"""The first line of every report: what has it may be written over by the next one."""


def write(document: Document, path: Path, form: str, *, force: bool = False) -> list[Path]:
    """The files, the report itself first. UsageError: something else is there and not ``force``, or the place cannot
    be written."""
    try:
        if not force:
            _look(path)
        if form == "html":
            from dlkit.report.page import page

            return write_files({path: f"{MARK}\n{page(document)}".encode()})
        from dlkit.report.markdown import Markdown

        folder = f"{path.stem}-files"
        found = Markdown(document, folder)
        pictures = {path.parent / folder / name: data for name, data in found.files.items()}
        return write_files({path: f"{MARK}\n{found.text}".encode(), **pictures})
    except OSError as error:
        raise UsageError(f"-o {path}: cannot be written: {error.strerror or error}") from error


def _look(path: Path) -> None:
    """UsageError if there is a file that is no report."""
    if path.is_dir():
        raise UsageError(f"{path} is a folder")
    if path.exists() or path.is_symlink():
        regular = path.is_file() and not path.is_symlink()  # to open a pipe is to wait for whoever writes into it
        if regular:
            with suppress(OSError), path.open("rb") as file:
                if file.read(len(MARK)) == MARK.encode():
                    return
        raise UsageError(f"{path} is there, and no report of dlkit: --force writes over it")


def write_files(files: Mapping[Path, bytes]) -> list[Path]:
    """Each whole or not at all, the first last: a report that is there has all its pictures."""
    for path in reversed(list(files)):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=".report-", dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(files[path])
            umask = os.umask(0)
            os.umask(umask)
            Path(name).chmod(0o666 & ~umask)  # as any file that a program makes
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    return list(files)
