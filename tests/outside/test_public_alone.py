"""Strangers, and what ``dlkit new-plugin`` writes, build on what the documentation promises, and on nothing else."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from promised import PROMISED
from structure import ROOT

FILES = [*(ROOT / "tests" / "outside").glob("dlkit-*/**/*.py"), *(ROOT / "dlkit/scaffold/templates").glob("**/*.py")]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_is_imported_of_dlkit_is_promised(path: Path) -> None:
    unknown = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "dlkit":
            names = [(node.module, alias.name) for alias in node.names]
            unknown += [name for name in names if name not in PROMISED and node.module != "dlkit"]
        if isinstance(node, ast.Import):
            unknown += [alias.name for alias in node.names if alias.name.startswith("dlkit.")]
    assert not unknown
