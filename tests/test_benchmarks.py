"""Benchmarks are run by hand: what they import of ours must be there all the same."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path

import pytest

SCRIPTS = sorted((Path(__file__).parent / "benchmarks").glob("*.py"))


def imported(script: Path) -> list[tuple[str, str]]:
    """(module, name) of all that a script takes from dlkit and its plugins."""
    nodes = ast.walk(ast.parse(script.read_text(encoding="utf-8")))
    ours = (node for node in nodes if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("dlkit"))
    return [(str(node.module), name.name) for node in ours for name in node.names]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: str(script.stem))
def test_what_a_benchmark_imports_is_there(script: Path) -> None:
    for module, name in imported(script):
        if not hasattr(import_module(module), name):
            import_module(f"{module}.{name}")
