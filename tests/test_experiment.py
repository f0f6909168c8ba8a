"""The two scripts of the guide: twelve configurations, two seeds each, queued, waited for, compared, measured."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dlkit.runs.index import list_runs
from jobsite import plugins, quick, site, workspace, zygote_address
from test_docs import ROOT, blocks
from waiting import LONG

__all__ = ["plugins", "quick", "site", "workspace", "zygote_address"]

LINES = 25


def ran(words: list[str], workspace: Path) -> str:
    """What a script writes, ``dlkit`` being as it is typed, and the usual workspace an empty one."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "DLKIT_WORKSPACE": str(workspace), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        words, env=environment, cwd=workspace.parent, capture_output=True, text=True, timeout=3 * LONG
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


# Every line of the scripts as it is, but that training processes are forked: three seconds of imports, 24 times.
@pytest.mark.slow
def test_the_script_for_a_shell(workspace: Path, quick: dict[str, str]) -> None:
    (script,) = blocks(ROOT / "docs" / "guide" / "studies.md", "bash")
    assert len(script.splitlines()) <= LINES
    out = ran(["bash", "-c", script.replace("train regression", "train regression --launcher zygote")], workspace)
    waited, _, rest = out.partition("model.name")
    assert len(waited.splitlines()) == 24 and all(": completed, " in line for line in waited.splitlines())
    table, _, evaluation = rest.partition("{")
    rows = [line.split() for line in table.splitlines()[1:]]
    assert len(rows) == 12 and {row[3] for row in rows} == {"2"}
    assert {tuple(row[:3]) for row in rows} == {
        (model, lr, size) for model in ("linear", "mlp") for lr in ("0.003", "0.01", "0.03") for size in ("16", "64")
    }
    told = json.loads("{" + evaluation)
    assert told["run"] == rows[0][-1] and told["split"] == "test"
    check(workspace)


@pytest.mark.slow
def test_the_script_in_python(workspace: Path, quick: dict[str, str]) -> None:
    (script,) = blocks(ROOT / "docs" / "guide" / "studies.md", "py")
    assert len(script.splitlines()) <= LINES
    out = ran(
        [sys.executable, "-c", script.replace("epochs=5", f"epochs=5, config={{'launcher': {quick}}}")], workspace
    )
    *groups, evaluation = out.splitlines()
    assert len(groups) == 12 and all(line.endswith(" (n = 2)") for line in groups)
    assert ast.literal_eval(evaluation).keys() >= {"test/mse"}
    check(workspace)


def check(workspace: Path) -> None:
    runs = list_runs(workspace)
    assert len(runs) == 24 and {run.state for run in runs} == {"completed"}
