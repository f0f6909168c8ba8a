"""The two scripts of the README: twelve configurations, two seeds each, queued, waited for, compared, measured."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dlkit.runs.index import list_runs
from test_docs import ROOT, blocks
from waiting import LONG

LINES = 25


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """``dlkit`` as it is typed, in an empty workspace."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return {**os.environ, "PATH": path, "DLKIT_WORKSPACE": str(tmp_path / "workspace"), "OMP_NUM_THREADS": "1"}


@pytest.mark.slow
def test_the_script_for_a_shell(tmp_path: Path, environment: dict[str, str]) -> None:
    (script,) = blocks(ROOT / "README.md", "bash")
    assert len(script.splitlines()) <= LINES
    done = subprocess.run(
        ["bash", "-c", script], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=3 * LONG
    )
    assert done.returncode == 0, done.stderr
    waited, _, rest = done.stdout.partition("model.name")
    assert len(waited.splitlines()) == 24 and all(": completed, " in line for line in waited.splitlines())
    table, _, evaluation = rest.partition("{")
    rows = [line.split() for line in table.splitlines()[1:]]
    assert len(rows) == 12 and {row[3] for row in rows} == {"2"}
    assert {tuple(row[:3]) for row in rows} == {
        (model, lr, size) for model in ("linear", "mlp") for lr in ("0.003", "0.01", "0.03") for size in ("16", "64")
    }
    told = json.loads("{" + evaluation)
    assert told["run"] == rows[0][-1] and told["split"] == "test"
    check(tmp_path / "workspace")


@pytest.mark.slow
def test_the_script_in_python(tmp_path: Path, environment: dict[str, str]) -> None:
    (script,) = blocks(ROOT / "README.md", "py")
    assert len(script.splitlines()) <= LINES
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=3 * LONG
    )
    assert done.returncode == 0, done.stderr
    *groups, evaluation = done.stdout.splitlines()
    assert len(groups) == 12 and all(line.endswith(" (n = 2)") for line in groups)
    assert ast.literal_eval(evaluation).keys() >= {"test/mse"}
    check(tmp_path / "workspace")


def check(workspace: Path) -> None:
    runs = list_runs(workspace)
    assert len(runs) == 24 and {run.state for run in runs} == {"completed"}
