"""What a workspace's dlkit.toml and --safe-mode do to commands, and what these say of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dlkit.catalog import Catalog
from toy import toy_run


def write(folder: Path, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "dlkit.toml").write_text(text)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return tmp_path / "workspace"


def test_commands_follow_the_file_of_their_workspace(workspace: Path, dlkit, monkeypatch) -> None:
    """Named before the command, after it, or by the environment; the list says who did it, and names what it lacks."""
    write(workspace, '[plugins]\ndisable = ["toy", "tyo"]\n')
    for words in (
        ["--workspace", str(workspace), "plugins", "--json"],
        ["plugins", "--json", f"--workspace={workspace}"],
    ):
        found = {plugin["name"]: plugin for plugin in dlkit(*words).json}
        assert found["toy"]["state"] == "disabled" and found["toy"]["reason"] == f"{workspace}/dlkit.toml disables it"
    assert {plugin["name"]: plugin["state"] for plugin in dlkit("plugins", "--json").json}["toy"] == "ready"
    monkeypatch.setenv("DLKIT_WORKSPACE", str(workspace))
    told = dlkit("plugins").out
    assert f"{workspace}/dlkit.toml switches off 1 plugin\n" in told
    assert "no plugin 'tyo' is installed: did you mean 'toy'?" in told
    assert any("switches off 1 plugin" in line for line in dlkit("doctor", "--json").json["plugin_choice"])
    trained = dlkit("train", "toy")
    assert trained.code == 4 and "plugin 'toy' is disabled: " in trained.err


def test_a_bad_file_stops_what_would_train_and_is_told_by_what_lists(workspace: Path, dlkit) -> None:
    write(workspace, "[plugins]\ndisabel = []\n")
    trained = dlkit("train", "toy", "--workspace", str(workspace))
    assert trained.code == 2 and "no key plugins.disabel: did you mean 'disable'?" in trained.err
    listed = dlkit("plugins", "--workspace", str(workspace))
    assert listed.code == 0 and "no key plugins.disabel" in listed.out and "nothing of it holds" in listed.out
    assert not (workspace / "runs").exists()


@pytest.mark.parametrize("words", [["--safe-mode", "plugins"], ["plugins", "--safe-mode"]])
def test_safe_mode_is_an_option_of_every_command(dlkit, monkeypatch, words: list[str]) -> None:
    monkeypatch.delenv("DLKIT_DISABLE")
    found = {plugin["name"]: plugin["state"] for plugin in dlkit(*words, "--json").json}
    assert found["toy"] == "disabled" and found["dlkit"] == "ready" and found["regression"] == "ready"
    assert "safe mode: only plugins of dlkit itself are used" in dlkit(*words).out
    assert "DLKIT_SAFE_MODE" not in os.environ, "for the time of the command"
    assert dlkit("predict", "nothing", "--", "--safe-mode").code == 2, "behind two dashes it is an input"


def test_a_plugin_of_a_run_that_is_switched_off_is_named(workspace: Path, dlkit) -> None:
    toy_run(workspace)
    write(workspace, '[plugins]\nenable = ["gan"]\n')
    found = dlkit("predict", "last", "1,2,3", "--workspace", str(workspace))
    assert found.code == 4 and "dlkit.toml enables others only" in found.err


def test_the_interface_reads_the_file_of_its_workspace(workspace: Path, toy_installed: Path) -> None:
    write(workspace, '[plugins]\nenable = ["toy"]\n')
    catalog = Catalog.load_everything(workspace=workspace, lenient=True)
    assert {plugin.name for plugin in catalog.plugins if plugin.usable} == {"dlkit", "toy"}
    write(workspace, "nonsense")
    assert "nonsense" not in Catalog.load_everything(workspace=workspace, lenient=True).trouble.split(":")[0]
