"""The source that an exported folder takes with it: a module, and those of dlkit and its plugin that it imports."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from dlkit.errors import PluginError

PACKAGE = "answering"
"""The package in an exported folder that holds it."""
ALLOWED = {
    "numpy": "numpy",
    "PIL": "pillow",
    "sentencepiece": "sentencepiece",
    "regex": "regex",
    "safetensors": "safetensors",
    "pillow_heif": "pillow-heif",
}
"""What such modules may import besides the standard library, and what it is installed as."""


class Carried(NamedTuple):
    """``sources``: file name → text; ``entry``: the module's own name among them, without suffix; ``needs``: what is
    to be installed beside them."""

    sources: Mapping[str, str]
    entry: str
    needs: tuple[str, ...]


def carried(module: str) -> Carried:
    """The sources of a module and of all it imports of dlkit and its plugin, which then import each other and nothing
    of either; PluginError names what imports something else."""
    own = {"dlkit", module.partition(".")[0]}
    trees: dict[str, tuple[str, ast.Module]] = {}
    needs: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name in trees:
            continue
        text = _source(name)
        trees[name] = text, ast.parse(text)
        for found in _imports(trees[name][1], own):
            if found.own:
                waiting.append(found.module)
            elif (root := found.module.partition(".")[0]) in ALLOWED:
                needs.add(ALLOWED[root])
            elif root not in sys.stdlib_module_names:
                allowed = ", ".join(ALLOWED)
                raise PluginError(f"{name} imports {found.module}, which no export can take along; allowed: {allowed}")
    names = _flat_names(trees)
    sources = {f"{names[name]}.py": _rewritten(text, tree, names, own) for name, (text, tree) in trees.items()}
    # pillow-heif is asked for only where a file needs it.
    return Carried(sources, names[module], tuple(sorted(needs - {"pillow-heif"})))


def _source(module: str) -> str:
    spec = find_spec(module)
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        raise PluginError(f"{module}: no Python source to export")
    return Path(spec.origin).read_text(encoding="utf-8")


class _Import(NamedTuple):
    """``from MODULE import …``: of dlkit or the plugin (``own``), or another's."""

    module: str
    own: bool


def _imports(tree: ast.Module, own: set[str]) -> Iterator[_Import]:
    for node in _executed(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield _Import(alias.name, alias.name.partition(".")[0] in own)
        elif isinstance(node, ast.ImportFrom) and node.module:
            if node.module.partition(".")[0] not in own:
                yield _Import(node.module, False)
                continue
            yield from (_Import(name, True) for name in _modules(node))


def _modules(node: ast.ImportFrom) -> list[str]:
    """The modules that ``from package import names`` loads: the package's own, or those that it names."""
    assert node.module
    inner = [f"{node.module}.{alias.name}" for alias in node.names]
    spec = find_spec(node.module)
    if spec is None or spec.submodule_search_locations is None:
        return [node.module]
    missing = [name for name in inner if find_spec(name) is None]
    return [*(name for name in inner if name not in missing), *([node.module] if missing else [])]


def _executed(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those below ``if TYPE_CHECKING:``."""
    for node in ast.iter_child_nodes(tree):
        if not _for_type_checkers(node):
            yield node
            yield from _executed(node)


def _for_type_checkers(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _flat_names(modules: Mapping[str, object]) -> dict[str, str]:
    """A file's name for each module: its last word, with those before it where two have one last word."""
    names: dict[str, str] = {}
    for module in sorted(modules):
        words = module.split(".")
        ends = ("_".join(words[-count:]) for count in range(1, len(words) + 1))
        names[module] = next(end for end in ends if end not in names.values())
    return names


def _rewritten(text: str, tree: ast.Module, names: Mapping[str, str], own: set[str]) -> str:
    """The text with imports of the others from beside it, and without those for type checkers."""
    lines = text.splitlines()
    for node in sorted(_statements(tree), key=lambda node: node.lineno, reverse=True):
        first, last = node.lineno - 1, node.end_lineno
        if isinstance(node, ast.If):
            lines[first:last] = []
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] in own:
            lines[first:last] = [" " * node.col_offset + line for line in _from_beside(node, names)]
    return "\n".join(lines) + "\n"


def _statements(tree: ast.Module) -> Iterator[ast.ImportFrom | ast.If]:
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and _for_type_checkers(node):
            yield node
    for node in _executed(tree):
        if isinstance(node, ast.ImportFrom):
            yield node


def _from_beside(node: ast.ImportFrom, names: Mapping[str, str]) -> Iterator[str]:
    assert node.module
    for alias in node.names:
        known = f" as {alias.asname}" if alias.asname else ""
        module = f"{node.module}.{alias.name}"
        if module in names:
            yield f"from . import {names[module]}{known or f' as {alias.name}'}"
        else:
            yield f"from .{names[node.module]} import {alias.name}{known}"
