"""docs/authors/ten-minutes.md, line by line: what is typed is run, what is to be put into a file is put there."""

from __future__ import annotations

import ast
import re
import shlex
import sys
from collections.abc import Iterator
from importlib import invalidate_caches
from pathlib import Path

import pytest

from at_length import ALL
from dlkit.cli.main import main
from installed import install_metadata
from structure import ROOT

pytestmark = pytest.mark.slow

PAGE = ROOT / "docs" / "authors" / "ten-minutes.md"
BLOCK = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```', re.MULTILINE | re.DOTALL)
CODE = {"45,15,100": 3}
"""What is refused, by what is asked: the other commands are done."""


def put(path: Path, text: str) -> None:
    """Each statement of ``text`` in the place of that of its name."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    new = {names(node): ast.get_source_segment(text, node) for node in ast.parse(text).body}
    for node in reversed(ast.parse("".join(lines)).body):
        if names(node) and (replacement := new.pop(names(node), None)) is not None:
            lines[node.lineno - 1 : node.end_lineno] = [f"{replacement}\n"]
    assert not new, f"{path} has no {', '.join(map(str, new))}"
    path.write_text("".join(lines), encoding="utf-8")


def names(node: ast.stmt) -> str:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return node.name
    return ast.unparse(node.targets[0]) if isinstance(node, ast.Assign) else ""


@pytest.fixture
def forgotten(tmp_path: Path) -> Iterator[None]:
    yield
    _forget(tmp_path)


def _forget(folder: Path) -> None:
    """A command is a process of its own for whoever types it: it reads the code as it is."""
    for name, module in list(sys.modules.items()):
        if Path(getattr(module, "__file__", None) or "/").is_relative_to(folder):
            del sys.modules[name]


def test_every_line(
    tmp_path: Path, forgotten: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DLKIT_WORKSPACE", raising=False)
    ran = 0
    for kind, title, text in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        assert kind in ("sh", "py"), kind
        if kind == "py":
            put(tmp_path / title, text)
            continue
        for line in text.splitlines():
            _typed(shlex.split(line, comments=True), tmp_path, monkeypatch)
            ran += 1
    assert ran >= 15
    inline = re.findall(r"`(dlkit predict [^`]+)`", PAGE.read_text(encoding="utf-8"))
    assert inline
    for line in inline:
        words = shlex.split(line)[1:]
        assert main([word.replace("last", "last~1") for word in words]) == CODE[words[-1]]
        assert "gravity from 3 to 25" in capsys.readouterr().err


def _typed(words: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if words[:4] == ["uv", "pip", "install", "-e"]:  # done in earnest by tests/outside
        project = folder / words[4]
        monkeypatch.syspath_prepend(project)
        monkeypatch.setenv("PYTHONPATH", str(project))
        install_metadata(
            project, words[4], words[4].removeprefix("dlkit-"), f"{words[4].replace('-', '_')}.plugin", "0.1.0"
        )
        invalidate_caches()
        return
    assert words[0] == "dlkit", words
    _forget(folder)
    if words[1] == "check-plugin" and not ALL:
        words = [*words, "--only", "package-has-metadata"]
    assert main(words[1:]) == 0, shlex.join(words)
