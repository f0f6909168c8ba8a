"""What the documentation promises to those who write plugins is there, says what it does, and is used by our own."""

from __future__ import annotations

import ast
import inspect
from importlib import import_module

import pytest

from promised import PROMISED
from structure import ROOT

USED = {
    (statement.module, alias.name)
    for room in (
        "plugins/*/dlkit_*",
        "dlkit/scaffold/templates/*/dlkit_*",
        "dlkit/scaffold/templates/*/tests",
        "tests/outside/*/dlkit_*",
    )
    for path in sorted(ROOT.glob(f"{room}/**/*.py"))
    for statement in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    if isinstance(statement, ast.ImportFrom)
    for alias in statement.names
}


def test_there_are_promises() -> None:
    assert ("dlkit.task", "together") in PROMISED and ("dlkit.data.tables", "read_csv") in PROMISED


@pytest.mark.parametrize(("module", "name"), PROMISED, ids=[f"{module}.{name}" for module, name in PROMISED])
def test_a_promised_name(module: str, name: str) -> None:
    found = getattr(import_module(module), name)
    assert (module, name) in USED
    if inspect.isclass(found) or inspect.isfunction(found):
        assert found.__module__ == module or offers(module, name, found.__module__), "one name has one home"
        assert found.__doc__ and not found.__doc__.startswith(f"{name}("), "a dataclass writes its signature there"


def offers(module: str, name: str, defined: str) -> bool:
    """Whether a module offers as its own what one that nobody is promised defines for it."""
    return name in import_module(module).__all__ and defined not in {promised for promised, _ in PROMISED}
