"""The script for a GPU machine runs: here its paths on the CPU, so that it is whole when there is such a machine."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "benchmarks" / "gpu.py"


def run(tmp_path: Path, *words: str) -> tuple[int, dict[str, dict[str, object]]]:
    out = tmp_path / "found.json"
    command = [sys.executable, str(SCRIPT), "--device", "cpu", "--out", str(out), *words]
    done = subprocess.run(command, capture_output=True, text=True)
    told = json.loads(out.read_text())
    assert json.loads(done.stdout) == told, done.stderr
    return done.returncode, told["parts"]


@pytest.mark.slow
def test_every_part_runs_on_the_cpu(tmp_path: Path) -> None:
    code, parts = run(tmp_path)
    assert {name: part.get("error") for name, part in parts.items() if not part["ok"]} == {}
    assert code == 0 and len(parts) == 10


@pytest.mark.slow
def test_a_part_that_fails_keeps_no_other_from_running(tmp_path: Path) -> None:
    script = SCRIPT.read_text().replace("def loader(", "def loader(nothing: object, ", 1)
    broken = tmp_path / "gpu.py"
    broken.write_text(script.replace("HERE = Path(__file__).parent", f"HERE = Path({str(SCRIPT.parent)!r})"))
    command = [sys.executable, str(broken), "--device", "cpu", "--parts", "loader,stall"]
    done = subprocess.run(command, capture_output=True, text=True)
    parts = json.loads(done.stdout)["parts"]
    assert done.returncode == 1
    assert (parts["loader"]["ok"], parts["stall"]["ok"]) == (False, True)
    assert parts["loader"]["error"].startswith("TypeError: loader()")
