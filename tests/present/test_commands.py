"""What to type next, as a command says it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dlkit.present.commands import to_type
from dlkit.runs.folder import RunFolder


def test_commands_are_said_as_they_were_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = RunFolder(tmp_path / "my runs" / "runs" / "20261121-080000-toy-linear-aaaa")
    monkeypatch.setenv("DLKIT_WORKSPACE", str(tmp_path))
    assert to_type(run, "resume aaaa") == f"dlkit resume aaaa --workspace '{tmp_path}/my runs'"
    monkeypatch.setenv("DLKIT_WORKSPACE", str(tmp_path / "my runs"))
    monkeypatch.setenv("UV_RUN_RECURSION_DEPTH", "1")
    assert to_type(run, "resume aaaa") == "uv run dlkit resume aaaa"


def test_a_copy_outside_any_workspace_is_named_by_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UV_RUN_RECURSION_DEPTH", raising=False)
    assert to_type(RunFolder(tmp_path / "my copy"), "resume my copy") == f"dlkit resume '{tmp_path}/my copy'"
