"""Files of weights that are pickle (.pth, .pt), converted once to safetensors by a process of their own."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dlkit.bounded import BadFile, open_regular
from dlkit.data.layout import file_sha256
from dlkit.errors import DataError
from dlkit.interpreter import SAFE_PATH, python

PICKLED = (".pth", ".pt")
KEPT = ".converted"
"""Folder of the workspace's data that keeps what was converted, by the SHA-256 of what it was made of."""
SECONDS = 600
"""That a conversion may take; half a gigabyte took 9 on two cores."""


@contextmanager
def converted(path: Path, data: Path | None) -> Iterator[Path]:
    """The safetensors file that has a .pth file's tensors; kept below ``data``, or only as long as it is needed.

    DataError: it is missing, or holds something else than tensors by name.
    """
    try:
        os.close(open_regular(path))  # a named pipe would be waited for
        digest = file_sha256(path)
    except (OSError, BadFile) as error:
        raise DataError(f"{path}: not a readable {path.suffix} file: {error}") from error
    if data is not None:
        kept = data / KEPT / f"{digest}.safetensors"
        if not kept.is_file():
            kept.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
                _convert(path, Path(folder) / kept.name).replace(kept)
        yield kept
        return
    with tempfile.TemporaryDirectory(prefix="dlkit-weights-") as folder:
        yield _convert(path, Path(folder) / "weights.safetensors")


def _convert(path: Path, target: Path) -> Path:
    """Made by a process of its own, of which nothing but the file and a line of text is taken."""
    words = python("dlkit.data.pickled", str(path.absolute()), str(target))
    try:
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            errors="replace", timeout=SECONDS, check=False, env={**os.environ, **SAFE_PATH},
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise DataError(f"{path}: not read within {SECONDS} s") from error
    if done.returncode:
        said = done.stderr.strip().splitlines()
        why = said[-1] if said else f"its reader ended with {done.returncode}"
        raise DataError(f"{path}: not tensors that can be read without running what the file says: {why}")
    return target
