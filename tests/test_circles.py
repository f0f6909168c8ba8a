"""No module needs itself: imports form no circle, those inside functions and for type checkers included.

Import-linter holds the layers; a circle within a layer passes it. An import inside a function makes a circle work and
hides it, and two modules that name each other's types are one idea in two files: so both count here.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from structure import ROOT, product

FACADE = "dlkit"
"""Names what Python programs use, and imports it when it is asked for: everything else is below it."""


def module_name(path: Path) -> str:
    """``dlkit/tui/app.py`` → ``dlkit.tui.app``; a package goes by its folder's name."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    inside = parts[2:] if parts[0] == "plugins" else parts
    return ".".join(inside[:-1] if inside[-1] == "__init__" else inside)


def imports(source: str) -> Iterator[ast.Import | ast.ImportFrom]:
    """Every import statement, wherever it stands."""
    return (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Import | ast.ImportFrom))


def imported(statement: ast.Import | ast.ImportFrom, known: Iterable[str]) -> set[str]:
    """The modules among ``known`` that a statement names; ``from package import module`` names the module."""
    if isinstance(statement, ast.Import):
        return {alias.name for alias in statement.names} & set(known)
    assert statement.level == 0 and statement.module is not None, "imports are absolute here"
    inner = {f"{statement.module}.{alias.name}" for alias in statement.names}
    modules = inner & set(known)
    return modules if modules == inner else modules | ({statement.module} & set(known))


def import_graph(paths: Iterable[Path]) -> dict[str, set[str]]:
    """Module → the modules that it imports, at any time."""
    sources = {module_name(path): path.read_text(encoding="utf-8") for path in paths}
    return {
        name: {found for statement in imports(source) for found in imported(statement, sources)} - {name}
        for name, source in sources.items()
    }


def circle(graph: Mapping[str, set[str]]) -> list[str]:
    """One circle of a graph, from a module back to itself; empty if there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        found: list[str] = error.args[1]
        return found
    return []


def test_no_imports_form_a_circle() -> None:
    graph = import_graph(product())
    assert not circle({name: found for name, found in graph.items() if name != FACADE})


def test_a_circle_is_found_wherever_the_import_stands() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}})
    assert not circle({"a": {"b", "c"}, "b": {"c"}})
    source = "if TYPE_CHECKING:\n    import a\ndef f():\n    from c import d"
    assert [ast.unparse(found) for found in imports(source)] == ["import a", "from c import d"]


def test_a_module_of_a_package_is_told_from_a_name_in_it() -> None:
    module, both = imports("from c import d\nfrom c import d, e")
    assert imported(module, {"c", "c.d"}) == {"c.d"}
    assert imported(both, {"c", "c.d"}) == {"c", "c.d"}
