"""``dlkit data example TASK DIR``: a small example of the files that a data set reads, and how to train on it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypedDict

from dlkit.catalog import Catalog
from dlkit.cli.data_options import parser
from dlkit.components import DatasetSpec
from dlkit.data.example import Example, write_example
from dlkit.errors import UsageError, nearest
from dlkit.json_types import Json
from dlkit.present.commands import tool
from dlkit.present.output import print_json, print_result
from dlkit.present.table import table
from dlkit.present.text import from_here


class ExampleFile(TypedDict):
    """A file, or, ending in ``/``, a folder, by its path in the example's; ``what`` it is."""

    path: str
    what: str


class ExampleDescription(TypedDict):
    """An example that was written, as ``--json`` gives it; ``command`` trains on it."""

    task: str
    dataset: str
    path: str
    options: Mapping[str, Json]
    files: list[ExampleFile]
    command: str


def example(argv: list[str]) -> int:
    made = parser("example")
    made.add_argument("task", metavar="TASK")
    made.add_argument("folder", metavar="DIR", help="a new folder")
    made.add_argument("--dataset", metavar="NAME", default="", help="of this data set (default: the one that has one)")
    options = made.parse_args(argv)
    catalog = Catalog.load_everything()
    spec = _having(catalog, catalog.task(options.task).name, options.dataset)
    folder = Path(options.folder).absolute()
    found = write_example(catalog, spec, folder)
    record: ExampleDescription = {
        "task": options.task,
        "dataset": spec.name,
        "path": str(folder),
        "options": dict(found.options),
        "files": [{"path": path, "what": what} for path, what in found.files.items()],
        "command": f"{tool()} {shlex.join(_words(options.task, spec, found))}",
    }
    print_json(record) if options.json else print_result("\n".join(_told(record)))
    return 0


def _having(catalog: Catalog, task: str, name: str) -> DatasetSpec:
    """The data set that is named, or the task's only one that has an example."""
    specs = [catalog.find("dataset", name, task)] if name else catalog.specs("dataset", task)
    having = [spec for spec in specs if spec.example]
    if len(having) == 1:
        return having[0]
    if having:
        raise UsageError(
            f"task {task!r}: several data sets have an example: --dataset {', '.join(s.name for s in having)}"
        )
    others = [spec.name for spec in catalog.specs("dataset", task) if spec.example]
    if not name or not others:
        what = f"data set {name!r} has" if name else "no data set has"
        raise UsageError(f"task {task!r}: {what} no example: look at its data with dlkit data show {task}")
    raise UsageError(f"data set {name!r} reads no files of yours: {nearest(name, others)}")


def _words(task: str, spec: DatasetSpec, found: Example) -> list[str]:
    words = ["train", task, "--dataset", spec.name]
    for option, value in found.options.items():
        words += [f"--dataset.{option}", _word(value)]
    return words


def _word(value: Json) -> str:
    """As a flag's value is written: lists with commas between, or as TOML's, paths from the current folder on."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        parts = [_word(part) for part in value]
        odd = any("," in part or part != part.strip() for part in parts)  # a comma would divide a name in two
        return json.dumps(parts, ensure_ascii=False) if odd else ",".join(parts)
    return str(value).lower() if isinstance(value, bool) else str(from_here(value))


def _told(record: ExampleDescription) -> list[str]:
    return [
        f"{record['task']}: an example of what data set {record['dataset']} reads, in {from_here(record['path'])}",
        "",
        table(["file", "what it is"], [[one["path"], one["what"]] for one in record["files"]]),
        "",
        "to train on it:",
        f"  {record['command']}",
    ]
