"""No module needs itself: imports form no circle, those inside functions included.

Import-linter holds the layers; a circle within a layer passes it. An import inside a function makes a circle work and
hides it, so it counts here. Imports for type checkers alone do not: they are no dependency of the running code.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from structure import ROOT, product

Graph = Mapping[str, set[str]]


def module_name(path: Path) -> str:
    """``dlkit/tui/app.py`` → ``dlkit.tui.app``; a package goes by its folder's name."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    inside = parts[2:] if parts[0] == "plugins" else parts
    return ".".join(inside[:-1] if inside[-1] == "__init__" else inside)


def running_imports(node: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """The import statements below a node, without those under ``if TYPE_CHECKING:``."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            yield from (found for other in child.orelse for found in running_imports(ast.Module([other], [])))
        else:
            yield from running_imports(child)


def imported(statement: ast.Import | ast.ImportFrom, known: Iterable[str]) -> set[str]:
    """The modules among ``known`` that a statement names; ``from package import module`` names the module."""
    if isinstance(statement, ast.Import):
        return {alias.name for alias in statement.names} & set(known)
    assert statement.level == 0 and statement.module is not None, "imports are absolute here"
    inner = {f"{statement.module}.{alias.name}" for alias in statement.names}
    modules = inner & set(known)
    return modules if len(modules) == len(inner) else modules | ({statement.module} & set(known))


def import_graph(paths: Iterable[Path]) -> dict[str, set[str]]:
    """Module → the modules that it imports, at any time."""
    trees = {module_name(path): ast.parse(path.read_text(encoding="utf-8")) for path in paths}
    return {
        name: {found for statement in running_imports(tree) for found in imported(statement, trees)} - {name}
        for name, tree in trees.items()
    }


def circle(graph: Graph) -> list[str]:
    """One circle of a graph, from a module back to itself; empty if there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        found: list[str] = error.args[1]
        return found
    return []


def test_no_imports_form_a_circle() -> None:
    graph = import_graph(path for path in product() if path.name != "preview.py")
    assert not circle(graph)


def test_a_circle_is_found_wherever_the_import_stands(tmp_path: Path) -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}})
    tree = ast.parse("if TYPE_CHECKING:\n    import a\nelse:\n    import b\ndef f():\n    from c import d")
    assert [ast.unparse(found) for found in running_imports(tree)] == ["import b", "from c import d"]
    assert imported(ast.parse("from c import d, e").body[0], {"c", "c.d"}) == {"c", "c.d"}  # type: ignore[arg-type]
    assert imported(ast.parse("from c import d").body[0], {"c", "c.d"}) == {"c.d"}  # type: ignore[arg-type]
