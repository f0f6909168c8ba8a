"""The public interface's types: a sound plugin passes mypy, and what an author may get wrong does not."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from structure import ROOT

EXAMPLES = ROOT / "tests" / "typing_examples"
_PLANTED = re.compile(r" *# type: ignore\[([\w, -]+)\]$")


def planted() -> dict[int, set[str]]:
    """Line → the errors that mypy must find there, by their codes."""
    lines = enumerate((EXAMPLES / "slips.py").read_text(encoding="utf-8").splitlines(), 1)
    return {number: set(found[1].split(", ")) for number, line in lines if (found := _PLANTED.search(line))}


def test_what_mypy_is_run_on_contains_the_examples() -> None:
    """There an ``ignore`` is an error where nothing is wrong any more."""
    options = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mypy"]
    assert str(EXAMPLES.relative_to(ROOT)) in options["files"] and options["strict"]
    assert len(planted()) >= 20


@pytest.mark.slow
def test_each_slip_is_refused_and_nothing_else(tmp_path: Path) -> None:
    for path in EXAMPLES.glob("*.py"):
        lines = path.read_text(encoding="utf-8").splitlines()
        (tmp_path / path.name).write_text("\n".join(_PLANTED.sub("", line) for line in lines), encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--no-pretty", "--hide-error-context", "--show-error-codes", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    found: dict[int, set[str]] = {}
    for name, line, code in re.findall(r"(\w+)\.py:(\d+): error: .*\[([\w-]+)\]$", done.stdout, re.MULTILINE):
        assert name == "slips", done.stdout
        found.setdefault(int(line), set()).add(code)
    assert found == planted(), done.stdout


@pytest.mark.slow
def test_pyright_refuses_the_same_slips(tmp_path: Path) -> None:
    """What many editors show: the lines are compared, whatever it calls the slips. What a subclass gives a class's
    attribute (``Info = OtherInfo``) it does not compare with what the class declares."""
    pyright = shutil.which("basedpyright", path=str(Path(sys.executable).parent))
    if pyright is None:
        pytest.skip("basedpyright is not installed")
    for path in EXAMPLES.glob("*.py"):
        lines = path.read_text(encoding="utf-8").splitlines()
        (tmp_path / path.name).write_text("\n".join(_PLANTED.sub("", line) for line in lines), encoding="utf-8")
    options = {
        "include": ["."],
        "typeCheckingMode": "standard",
        "reportMissingTypeArgument": "error",
        "pythonVersion": "3.11",
        "venvPath": str(Path(sys.prefix).parent),
        "venv": Path(sys.prefix).name,
    }
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(options))
    command = [pyright, "--outputjson", "-p", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=600, check=False)
    errors = [one for one in json.loads(done.stdout)["generalDiagnostics"] if one["severity"] == "error"]
    assert {Path(one["file"]).name for one in errors} == {"slips.py"}, errors
    found = {one["range"]["start"]["line"] + 1 for one in errors}
    assert found == {line for line, codes in planted().items() if not codes <= {"assignment", "dict-item"}}, errors
