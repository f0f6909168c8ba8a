"""Another machine to test with: a real sshd on loopback, whose dlkit is this one with the toy plugins."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dlkit.cli.main import main
from dlkit.remote.defined import Remote, add
from jobsite import imported, plugins, quick, site, tmp_path, workspace, zygote_address  # noqa: F401
from sshd import Sshd, missing


@dataclass(frozen=True)
class Outcome:
    """What a command did: its exit code, its results, its talk."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture(scope="session")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """One for all tests."""
    if why := missing():
        pytest.skip(why)
    server = Sshd(tmp_path_factory.mktemp("sshd") / "sshd")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def reach(sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sshd]:
    """The sshd, and ssh that knows it; what ssh keeps open is closed after the test."""
    monkeypatch.setenv("DLKIT_SSH", sshd.ssh)
    yield sshd
    sshd.drop()  # the connection that ssh keeps goes with it


def far_command(**more: str) -> str:
    """What runs this dlkit at the other end, with as much of this environment as it needs."""
    names = ("PYTHONPATH", "DLKIT_DEVICES", "DLKIT_ZYGOTE", "OMP_NUM_THREADS", "DLKIT_CONFIG")
    found = {name: os.environ[name] for name in names if name in os.environ} | more
    words = ["env", *(f"{name}={value}" for name, value in found.items()), sys.executable, "-P", "-m", "dlkit"]
    return shlex.join(words)


@pytest.fixture
def box(reach: Sshd, quick: dict[str, str], workspace: Path) -> Remote:  # noqa: F811
    """A machine called box, whose workspace is ``workspace``."""
    there = Remote("box", "127.0.0.1", str(workspace), far_command())
    add(there)
    return there


@pytest.fixture
def dlkit(capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Outcome]:  # noqa: F811
    """A command here, in a workspace of its own."""
    monkeypatch.setenv("DLKIT_WORKSPACE", str(tmp_path / "own"))

    def call(*words: str) -> Outcome:
        capfd.readouterr()
        code = main(list(words))
        captured = capfd.readouterr()
        return Outcome(code, captured.out, captured.err)

    return call
