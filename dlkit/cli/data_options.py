"""What the actions of ``dlkit data`` share: their parser, and where sources lie."""

from __future__ import annotations

from argparse import ArgumentTypeError
from pathlib import Path
from typing import TYPE_CHECKING

from dlkit.cli.parser import Parser, duration

if TYPE_CHECKING:
    from dlkit.catalog import Catalog
    from dlkit.components import SourceSpec

SUMMARIES = {
    "list": "what can be downloaded: state, size, licence, and which data sets use it",
    "get": "download a source, unless it is there",
    "verify": "check a source's files: sizes, and SHA-256 where it is declared",
    "path": "print the folder of a source",
    "show": "look at a task's data: splits, columns, samples",
    "example": "write a small example of the files that a task's data set reads",
}
"""By action, in the order of the usage."""


def parser(action: str, *, fetches: bool = False) -> Parser:
    """The parser of one action, with the options that all have."""
    made = Parser(f"data {action}", SUMMARIES[action]).with_workspace().with_json()
    if fetches:
        made.add_argument("--mirror", metavar="DIR_OR_URL", help="a copy to take it from; default: $DLKIT_MIRROR")
        made.add_argument("--offline", action="store_true", help="never use the network; also $DLKIT_OFFLINE=1")
        limit = "for each file; default: $DLKIT_DOWNLOAD_SECONDS, else 600 and one more for each 10 kB"
        made.add_argument("--max-time", type=_seconds, metavar="SECONDS", help=limit)
    return made


def _seconds(text: str) -> float:
    try:
        value = duration(text)
    except ArgumentTypeError:
        value = 0.0
    if not value:
        raise ArgumentTypeError(f"must be a number of seconds above 0, or as 9m, not {text!r}")
    return value


def data_folder(workspace: str | None) -> Path:
    """Where sources are laid out."""
    from dlkit.runs.workspace import locate

    return locate(workspace) / "data"


def find_source(catalog: Catalog, name: str) -> SourceSpec:
    """The source of that name, whichever plugin declares it; UsageError names the nearest."""
    found: SourceSpec = catalog.find("source", name)
    return found
