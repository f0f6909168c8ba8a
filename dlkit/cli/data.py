"""``dlkit data``: the sources behind the tasks, and a look at a data set before any training."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from dlkit.cli.data_options import SUMMARIES, data_folder, find_source, parser
from dlkit.cli.parser import asks_for_help
from dlkit.errors import DataError, UsageError, nearest
from dlkit.present.numbers import size
from dlkit.present.output import print_json, print_result, say
from dlkit.present.table import table

if TYPE_CHECKING:
    from dlkit.catalog import Catalog
    from dlkit.components import SourceSpec


class SourceDescription(TypedDict):
    """A source as ``list --json`` gives it; ``size`` in bytes, 0 where it is fetched by hand."""

    name: str
    summary: str
    state: str
    size: int
    licence: str
    citation: str
    homepage: str
    used_by: list[str]
    path: str


def main(argv: list[str]) -> int:
    """Run ``dlkit data ACTION …``; returns the exit code."""
    if not argv or argv[0] in ("-h", "--help"):
        print_result(_usage())
        return 0
    if argv[0] not in ACTIONS and asks_for_help(argv):
        print_result(_usage())
        say(f"note: no action {argv[0]!r}: {nearest(argv[0], ACTIONS)}")
        return 0
    if argv[0] not in ACTIONS:
        raise UsageError(f"no action {argv[0]!r} of dlkit data: {nearest(argv[0], ACTIONS)}")
    return ACTIONS[argv[0]](argv[1:])


def _amount(download: int) -> str:
    """Bytes to download; of a source without files there is nothing that could be."""
    return size(download) if download else "by hand"


def _list(argv: list[str]) -> int:
    from dlkit.data.layout import status

    options = parser("list").parse_args(argv)
    catalog, data = _catalog(), data_folder(options.workspace)
    sources = {source.name: source for source in catalog.specs("source")}
    found = [_described(catalog, source, status(source, data), data) for source in sources.values()]
    if options.json:
        print_json(found)
    elif found:
        rows = [[s["name"], s["state"], _amount(s["size"]), s["licence"], ", ".join(s["used_by"])] for s in found]
        print_result(table(["name", "state", "download", "licence", "used by"], rows))
    else:
        say("no plugin declares a source")
    return 0


def _described(catalog: Catalog, source: SourceSpec, state: str, data: Path) -> SourceDescription:
    used = [f"{task}/{d.name}" for d in catalog.specs("dataset") if source.name in d.sources for task in d.tasks]
    return {
        "name": source.name,
        "summary": source.summary,
        "state": state,
        "size": sum(file.size for file in source.files),
        "licence": source.licence,
        "citation": source.citation,
        "homepage": source.homepage,
        "used_by": used,
        "path": str(data / source.name),
    }


def _get(argv: list[str]) -> int:
    from dlkit.data.layout import status
    from dlkit.data.sources import get

    made = parser("get", fetches=True)
    made.add_argument("name", metavar="NAME")
    options = made.parse_args(argv)
    source, data = find_source(_catalog(), options.name), data_folder(options.workspace)
    if status(source, data) == "present":
        say(f"{source.name} is there already; to check its content: dlkit data verify {source.name}")
    path = get(source, data, offline=options.offline, mirror=options.mirror, seconds=options.max_time, say=say)
    _print_path(source, path, options.json)
    return 0


def _verify(argv: list[str]) -> int:
    from dlkit.data.layout import verify

    made = parser("verify")
    made.add_argument("name", metavar="NAME")
    options = made.parse_args(argv)
    source, data = find_source(_catalog(), options.name), data_folder(options.workspace)
    problems = verify(source, data)
    hashed = sum(1 for file in source.layout if file.sha256)
    if options.json:
        print_json({"name": source.name, "path": str(data / source.name), "problems": problems, "hashed": hashed})
    elif problems:
        print_result("\n".join(problems))
        say(f"delete what is wrong, then: dlkit data get {source.name}")
    else:
        print_result(f"{source.name}: {len(source.layout)} files as declared ({hashed} by SHA-256, the others by size)")
    return DataError.exit_code if problems else 0


def _path(argv: list[str]) -> int:
    from dlkit.data.layout import status

    made = parser("path")
    made.add_argument("name", metavar="NAME")
    options = made.parse_args(argv)
    source, data = find_source(_catalog(), options.name), data_folder(options.workspace)
    state, path = status(source, data), data / source.name
    if state != "present":
        raise DataError(
            f"source {source.name!r} is {state}: its place is {path}; to fetch it: dlkit data get {source.name}"
        )
    _print_path(source, path, options.json)
    return 0


def _show(argv: list[str]) -> int:
    from dlkit.cli.show_data import show  # imports pydantic, which the other actions do without

    return show(argv)


def _example(argv: list[str]) -> int:
    from dlkit.cli.data_example import example

    return example(argv)


def _print_path(source: SourceSpec, path: Path, as_json: bool) -> None:
    if as_json:
        print_json({"name": source.name, "state": "present", "path": str(path)})
    else:
        print_result(str(path))


def _catalog() -> Catalog:
    from dlkit.catalog import Catalog

    return Catalog.load_everything()


ACTIONS: dict[str, Callable[[list[str]], int]] = {
    "list": _list,
    "get": _get,
    "verify": _verify,
    "path": _path,
    "show": _show,
    "example": _example,
}


def _usage() -> str:
    lines = [f"  {action:7} {summary}" for action, summary in SUMMARIES.items()]
    head = "usage: dlkit data ACTION …      (dlkit data ACTION --help: its options)\n"
    return "\n".join([head, *lines])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
