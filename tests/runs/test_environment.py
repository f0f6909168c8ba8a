"""With what a run was started is in its folder, and what is otherwise now is told."""

from __future__ import annotations

import json
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from dlkit.runs.environment import environment, kept, otherwise
from toy import toy_run


def test_a_run_has_all_that_is_needed_to_build_the_same(tmp_path: Path) -> None:
    found = kept(toy_run(tmp_path))
    assert found["distributions"]["torch"] == version("torch") and len(found["distributions"]) > 20
    assert len(found["sources"]["dlkit"]) == 64
    assert otherwise(found, environment([])) == [] and otherwise({}, found) == []


def test_what_is_otherwise_is_told(tmp_path: Path) -> None:
    now = environment([])
    before = json.loads(json.dumps(now))
    before["distributions"].update(dict.fromkeys(list(before["distributions"])[:7], "0.0.1"))
    before["sources"]["dlkit"] = "0" * 64
    lines = otherwise(before, now)
    assert lines[0] == "the source of dlkit is not what it was" and "was 0.0.1, is " in lines[1]
    assert lines[-1] == "2 more distributions are of other versions"
    run = toy_run(tmp_path)
    (run.path / "environment.json").write_text('{"python": 3}')
    assert kept(run) == {}


def test_what_is_not_committed_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = environment([])
    assert found["commit"] == found["diff"] == ""
    monkeypatch.chdir(Path(tmp_path / "repository").mkdir() or tmp_path / "repository")
    tmp_path = Path.cwd()
    (tmp_path / "file.txt").write_text("one\n")
    name = ["-c", "user.name=a", "-c", "user.email=a@b"]
    for words in (["init", "-q"], ["add", "."], [*name, "commit", "-qm", "one"]):
        subprocess.run(["git", *words], check=True)
    (tmp_path / "file.txt").write_text("two\n")
    found = environment([])
    assert len(found["commit"]) == 40 and "+two" in found["diff"]


@pytest.mark.parametrize(
    "settings",
    [
        {"core.fsmonitor": "{touch}"},
        {"diff.evil.textconv": "{touch}", "diff.external": "{touch}"},
        {"diff.evil.command": "{touch}"},
        {"filter.evil.clean": "{touch}"},
        {"filter.evil.process": "{touch}"},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_a_repository_of_somebody_else_runs_nothing(
    settings: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """git itself would start what a repository's configuration names."""
    ran, place = tmp_path / "ran", tmp_path / "repository"
    program = tmp_path / "touch.sh"
    program.write_text(f"#!/bin/sh\ntouch {ran}\ncat\n")
    program.chmod(0o755)
    place.mkdir()
    monkeypatch.chdir(place)
    (place / "file.txt").write_text("one\n")
    name = ["-c", "user.name=a", "-c", "user.email=a@b"]
    for words in (["init", "-q"], ["add", "."], [*name, "commit", "-qm", "one"]):
        subprocess.run(["git", *words], check=True)
    (place / ".gitattributes").write_text("*.txt diff=evil filter=evil\n")
    for key, value in settings.items():
        subprocess.run(["git", "config", key, value.format(touch=program)], check=True)
    (place / "file.txt").write_text("two\n")
    subprocess.run(["git", "diff", "HEAD"], check=False, capture_output=True)
    assert ran.exists(), "or this proves nothing"
    ran.unlink()
    found = environment([])
    assert not ran.exists()
    assert len(found["commit"]) == 40 and ("+two" in found["diff"]) == ("filter" not in str(settings))
