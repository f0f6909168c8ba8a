"""Fixtures of the command line's tests: the command itself, in this process, and runs to look at."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dlkit.cli.main import main
from dlkit.testing.usable import check_plugins
from toy import toy_run


@dataclass(frozen=True)
class Outcome:
    """What a command did: its exit code, its results, its talk."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def dlkit(capsys: pytest.CaptureFixture[str], toy_installed: Path) -> Callable[..., Outcome]:
    """``dlkit("runs", "--json")``: the command in this process, the toy plugin installed."""

    def call(*words: str | Path) -> Outcome:
        capsys.readouterr()
        code = main([str(word) for word in words])
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return call


@pytest.fixture(autouse=True)
def checked_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """``plugins --check`` and ``doctor`` import components in this process, which has torch already."""
    monkeypatch.setattr("dlkit.testing.usable_apart.check", check_plugins)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with two completed runs, to be read only: 3 epochs named *first*, then 5 without dropout."""
    workspace = tmp_path_factory.mktemp("trained")
    toy_run(workspace, name="first", keep=1)
    toy_run(workspace, layer={"model": {"name": "linear", "dropout": 0.0}}, epochs=5)
    return workspace


def run_ids(workspace: Path) -> list[str]:
    """Oldest first, by their record's time."""
    folders = [p for p in (workspace / "runs").iterdir() if not p.name.startswith(".")]
    return [p.name for p in sorted(folders, key=lambda p: json.loads((p / "run.json").read_text())["created"])]


@pytest.fixture
def ids(trained: Path) -> list[str]:
    return run_ids(trained)
