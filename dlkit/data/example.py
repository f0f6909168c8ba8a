"""A small example of what a data set reads, written by the data set itself: for people to see, for the kit to try."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree

from dlkit.catalog import Catalog, load_named
from dlkit.components import DatasetSpec
from dlkit.errors import PluginError, UsageError, blamed, is_refusal
from dlkit.json_types import Json


@dataclass(frozen=True)
class Example:
    """What a function that ``DatasetSpec.example`` names returns.

    options  the data set's options that read it, as in run.toml: ``{"path": str(folder / "table.csv")}``
    files    what has been written, each with a line that says what it is: a file's path from the folder on, or, ending
             in ``/``, that of a folder, which stands for all that lies below it
    """

    options: Mapping[str, Json]
    files: Mapping[str, str]


Writer = Callable[[Path], Example]
"""``write(folder)``: fills a folder that is there and empty, with the same every time. The names that it returns begin
with ``folder``. Some tens of samples suffice: enough to train on for a second, few enough to look through."""


def write_example(catalog: Catalog, spec: DatasetSpec, folder: Path) -> Example:
    """The data set's example in a new or empty folder (UsageError: it is neither, or cannot be made); PluginError, with
    nothing left, where that fails or is not what it says. OSError: the system refuses."""
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise UsageError(f"{folder}: is there already, and not an empty folder: an example is written into a new one")
    # What somebody made beforehand stays, empty, if writing fails: only what was made here is taken away.
    made = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder}: cannot be made: {error.strerror or error}") from error
    try:
        return _written(catalog, spec, folder)
    except BaseException:
        _empty(folder)
        if made:
            folder.rmdir()
        raise


def _empty(folder: Path) -> None:
    """The folder itself stays: somebody may stand in it, or have a link to it."""
    for path in folder.iterdir():
        rmtree(path, ignore_errors=True) if path.is_dir() and not path.is_symlink() else path.unlink()


def _written(catalog: Catalog, spec: DatasetSpec, folder: Path) -> Example:
    write: Writer = load_named(spec, spec.example, catalog)
    who = f"dataset {spec.name!r}: {spec.example}"
    with blamed(who, passing=is_refusal):
        found = write(folder)
    if not isinstance(found, Example):
        raise PluginError(f"{who} returns a {type(found).__name__}, not a dlkit.data.example.Example")
    if wrong := untold(folder, found):
        raise PluginError(f"{who}: {wrong[0]}")
    return found


def untold(folder: Path, example: Example) -> list[str]:
    """Where what is said of the files is not what lies there; empty: it is."""
    there = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file()]
    told = example.files
    return [
        *(f"{name}: is said to be there, and is not" for name in told if not (folder / name).exists()),
        *(f"{name}: it does not say what this is" for name in there if not any(_means(one, name) for one in told)),
    ]


def _means(one: str, name: str) -> bool:
    return name == one or (one.endswith("/") and name.startswith(one))
