"""``dlkit new-plugin NAME``: begin a plugin of one's own, as a package that works at once."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

from dlkit.cli.parser import Parser
from dlkit.errors import UsageError, nearest
from dlkit.interpreter import python
from dlkit.present.commands import tool
from dlkit.present.output import print_json, print_result
from dlkit.scaffold.kinds import KINDS, Kind
from dlkit.scaffold.names import check_free, checked, package_of
from dlkit.scaffold.writing import LICENCES, Package, write

_FIRST = ("classification", "regression")
"""The tasks in which that is tried which is for all of them, if they are installed."""


class NewPlugin(TypedDict):
    """What was written, as ``--json`` gives it: ``files`` lie in ``folder``; ``next`` are commands to type."""

    plugin: str
    kind: str
    task: str
    distribution: str
    package: str
    folder: str
    files: list[str]
    next: list[str]


def main(argv: list[str]) -> int:
    options = _parser().parse_args(argv)
    name, kind = checked(options.name), _known("--kind", options.kind, [*KINDS])
    licence = _known("--license", options.license, LICENCES)
    from dlkit.catalog import Catalog

    catalog = Catalog.load_everything()
    found = KINDS[kind]
    template = found.template(catalog, options.task)
    task = options.task or found.task
    check_free(catalog, name, kind, name if kind == "task" else task)
    tasks = [spec.name for spec in catalog.specs("task")]
    tried = task or next((task for task in (*_FIRST, *tasks) if task in tasks), "TASK")
    commands = [
        f"{tool()} {words[6:]}" if words.startswith("dlkit ") else words for words in _commands(found, name, tried)
    ]
    texts = {"@SUMMARY@": found.summary, "@CHANGE@": found.change, "@NEXT@": "\n".join(_commands(found, name, tried))}
    package = Package(name, template, licence, texts)
    folder = write(package, Path(options.into))
    record: NewPlugin = {
        "plugin": name,
        "kind": kind,
        "task": name if kind == "task" else task,
        "distribution": package.distribution,
        "package": package_of(name),
        "folder": str(folder.resolve()),
        "files": [*package.contents()],
        "next": [_install(folder), *commands],
    }
    print_json(record) if options.json else print_result("\n".join(_told(record, folder)))
    return 0


def _parser() -> Parser:
    parser = Parser("new-plugin", "Begin a plugin: a package that can be installed, trained and tested as it is.")
    parser.add_argument("name", metavar="NAME", help="what it is called: dlkit-NAME is its folder, NAME its component")
    parser.add_argument("--kind", default="task", metavar="KIND", help=f"{', '.join(KINDS)} (default: task)")
    parser.add_argument("--for", dest="task", metavar="TASK", help="the task that its component is for")
    parser.add_argument("--license", default="MIT", metavar="LICENSE", help=f"{', '.join(LICENCES)} (default: MIT)")
    parser.add_argument("--into", default=".", metavar="DIR", help="where its folder is written (default: here)")
    return parser.with_json()


def _known(option: str, word: str, allowed: Sequence[str]) -> str:
    if word not in allowed:
        raise UsageError(f"{option} {word}: {nearest(word, allowed)}")
    return word


def _commands(kind: Kind, name: str, task: str) -> list[str]:
    return [words.replace("NAME", name).replace("TASK", task) for words in kind.commands]


def _install(folder: Path) -> str:
    """How it is installed beside this dlkit, changes to it being in force at once."""
    with_pip = python("pip", "install", "-e", str(folder))
    if not shutil.which("uv"):
        return shlex.join(with_pip)
    # uv looks for an environment that is active, then for one in the current folder.
    found = os.environ.get("VIRTUAL_ENV") or ".venv"
    same = Path(found).resolve() == Path(sys.prefix).resolve()
    return shlex.join(["uv", "pip", "install", *([] if same else ["--python", with_pip[0]]), "-e", str(folder)])


def _told(record: NewPlugin, folder: Path) -> list[str]:
    code = [path for path in record["files"] if path.endswith(".py")]
    lines = sum(bool(line.strip()) for path in code for line in (folder / path).read_text("utf-8").splitlines())
    task = "" if record["kind"] == "task" else f" for {record['task'] or 'every task'}"
    head = f"plugin {record['plugin']} ({record['kind']}{task}): {lines} lines of Python, which work as they are"
    todo = [f"  {command}" for command in record["next"]]
    return [head, "", *tree(str(folder), record["files"]), "", "next:", *todo, f"then read {folder}/README.md"]


def tree(root: str, paths: Sequence[str]) -> list[str]:
    """Files as folders within one another, a line each."""
    return [root, *_branches([path.split("/") for path in paths])]


def _branches(paths: Sequence[list[str]]) -> list[str]:
    tops = sorted({path[0] for path in paths}, key=lambda top: ([top] not in paths, top))
    lines = []
    for top in tops:
        last = top == tops[-1]
        below = [path[1:] for path in paths if path[0] == top and len(path) > 1]
        lines.append(f"{'└─' if last else '├─'} {top}{'/' if below else ''}")
        lines += [f"{'   ' if last else '│  '}{line}" for line in _branches(below)]
    return lines
