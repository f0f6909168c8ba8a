"""Standard tests that a project overrides, read from its files."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

CONTRACT = "Contract"
"""How classes of standard tests end, and what their names are read by."""


def overridden(path: Path) -> Iterator[tuple[int, str]]:
    """Line and name of every standard test in a file of tests that is overridden otherwise than by xfail with a reason.

    Standard tests are those of classes that a ``…Contract`` of dlkit.testing is the base of; their names are those of
    rules.
    """
    from dlkit.testing.rules import rule_names

    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError):
        return
    standard = {f"test_{name.replace('-', '_')}" for name in rule_names()}
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and any(ast.unparse(base).endswith(CONTRACT) for base in node.bases):
            for item in node.body:
                name = _name(item)
                if name in standard and not _explained(item):
                    yield item.lineno, f"{node.name}.{name}"


def _name(item: ast.stmt) -> str:
    """What a statement of a class's body defines: a function, or a name that is set to something."""
    if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef):
        return item.name
    if isinstance(item, ast.Assign) and isinstance(item.targets[0], ast.Name):
        return item.targets[0].id
    return ""


def _explained(item: ast.stmt) -> bool:
    decorators = item.decorator_list if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef) else []
    return any(_is_xfail(one) for one in decorators)


def _is_xfail(decorator: ast.expr) -> bool:
    if not (isinstance(decorator, ast.Call) and ast.unparse(decorator.func).endswith("mark.xfail")):
        return False
    reasons = [word.value for word in decorator.keywords if word.arg == "reason"]
    return any(not isinstance(reason, ast.Constant) or bool(str(reason.value).strip()) for reason in reasons)
