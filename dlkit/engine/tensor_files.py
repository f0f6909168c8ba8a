"""Tensor files of a run: safetensors, opened like everything else in its folder, and never pickle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from dlkit.errors import RunError
from dlkit.runs import opening

HEADER_LIMIT = 1 << 24
"""Largest JSON header of a tensor file that is read, in bytes (safetensors itself reads 100 MB). A tensor needs 120."""


def write_tensors(tensors: Mapping[str, Tensor], run: Path, name: str) -> None:
    """A tensor file of a run, on disk when this returns; OSError if it cannot be."""
    try:
        with opening.through_folder(run, name) as path:
            save_file(dict(tensors), path)
    except SafetensorError as error:  # it wraps the system's error in text
        raise OSError(f"{run / name}: {error}") from error


def read_tensors(run: Path, name: str) -> dict[str, Tensor]:
    """A tensor file of a run; RunError if it is damaged or its header is larger than any of ours."""
    with opened_tensors(run, name) as path:
        return load_file(path)


@contextmanager
def opened_tensors(run: Path, name: str) -> Iterator[str]:
    """A path for safetensors, its header looked at; what goes wrong is a RunError."""
    try:
        with opening.through_file(run, name) as path:
            with Path(path).open("rb") as file:
                size = int.from_bytes(file.read(8), "little")
            # Before safetensors reads it: a damaged or foreign file may claim any size, and would get the memory.
            if size > HEADER_LIMIT:
                raise RunError(
                    f"{run / name}: its header claims {size} bytes, more than the {HEADER_LIMIT} that are read"
                )
            yield path
    except RunError:  # it names the file
        raise
    except (OSError, SafetensorError) as error:
        raise RunError(f"{run / name}: {error}") from error
