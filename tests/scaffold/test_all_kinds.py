"""Every kind of new plugin, as written: it trains, samples, goes on, answers; its tests, ruff and mypy pass."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

import dlkit
from at_length import at_length
from dlkit.cli.main import main
from structure import ROOT

pytestmark = pytest.mark.slow

KINDS: Mapping[str, tuple[str, Sequence[str]]] = {
    "new-task": ("new-task", []),
    "new-images": ("classification", ["--kind", "dataset"]),
    "new-table": ("regression", ["--kind", "dataset", "--for", "regression"]),
    "new-model": ("classification", ["--kind", "model"]),
    "new-plane-model": ("points", ["--kind", "model", "--for", "points"]),
    "new-loss": ("classification", ["--kind", "loss"]),
    "new-table-loss": ("regression", ["--kind", "loss", "--for", "regression"]),
    "new-trainer": ("regression", ["--kind", "trainer"]),
    "new-margins": ("classification", ["--kind", "inference"]),
    "new-numbers": ("regression", ["--kind", "inference", "--for", "regression"]),
    "new-launcher": ("", ["--kind", "launcher"]),
    "new-observer": ("", ["--kind", "observer"]),
}
"""Plugins by name: the task that each is tried in, and what it is begun with."""


def test_all_of_them(
    begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    projects = {name: begin(name, *words, "--license", "MIT") for name, (_, words) in KINDS.items()}
    assert main(["plugins", "--check"]) == 0
    for name, (task, words) in KINDS.items():
        if task:
            tried(name, task, words)
    diary = (tmp_path / "workspace" / "new-observer.csv").read_text(encoding="utf-8").splitlines()
    assert len(diary) == 1 + 3 * sum(bool(task) for task, _ in KINDS.values())
    for name in ("new-task", "new-margins"):  # what a task's own model says, and what its template asks of another's
        assert main(["sample", name]) == 0
    checked(list(projects.values()), tmp_path)


@at_length
@pytest.mark.parametrize("name", KINDS)
def test_each_is_gold(name: str, begin, capsys: pytest.CaptureFixture[str]) -> None:
    project = begin(name, *KINDS[name][1])
    capsys.readouterr()
    code = main(["check-plugin", str(project), "--json"])
    found = json.loads(capsys.readouterr().out)
    assert (code, found["kept"], found["tier"]) == (0, True, "gold"), found["looks"]


def tried(name: str, task: str, words: Sequence[str]) -> None:
    """Trained, sampled, gone on with exactly, asked."""
    part = {words[1]: name} if words else {}
    if "trainer" not in part:
        part["trainer"] = {"schedule": "constant", "warmup": 0.0}  # others go by how long the run is
    short = {"device": "cpu", "engine": {"sample_every": "end", "threads": 1}}
    run = dlkit.train(task, **part, **short, epochs=1, name=name)
    assert run.state == "completed" and list((run.path / "samples").iterdir())
    undisturbed = dlkit.train(task, **part, **short, epochs=2)
    assert undisturbed.history("train/loss")[1] == run.resume(epochs=2).history("train/loss")[1]
    predictor = run.predictor()
    assert predictor(predictor.accept(predictor.schema()["example"]))


def checked(projects: Sequence[Path], tmp_path: Path) -> None:
    """By the tools that their pyproject.toml configures, all in one process a tool."""
    for project in projects:
        quiet([sys.executable, "-m", "ruff", "check", "-q", "."], project)
    quiet([sys.executable, "-m", "ruff", "format", "-q", "--check", *map(str, projects)], tmp_path)
    quiet([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path),
           "--import-mode=importlib", *(str(project / "tests") for project in projects)], tmp_path)  # fmt: skip
    packages = [str(path) for project in projects for path in (*project.glob("dlkit_*"), *project.glob("tests/*.py"))]
    quiet([sys.executable, "-m", "mypy", "--strict", "--config-file", str(projects[0] / "pyproject.toml"),
           "--cache-dir", str(ROOT / ".mypy_cache" / "scaffold"), *packages], projects[0])  # fmt: skip


def quiet(command: list[str], where: Path) -> None:
    path = os.pathsep.join([os.environ["PYTHONPATH"], str(ROOT)])
    done = subprocess.run(command, cwd=where, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True,
                          timeout=600, check=False)  # fmt: skip
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-6000:]}{done.stderr[-3000:]}"
