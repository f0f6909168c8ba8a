"""What a command loads: the rules that make the tool feel instant, looked up in ``sys.modules`` of a fresh process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import dlkit
from toy import toy_run

PLUGINS = ("toy", *(found.module.partition(".")[0] for found in entry_points(group="dlkit")))
PROBE = """
import io, json, sys
from contextlib import redirect_stdout
from dlkit.cli.main import main
with redirect_stdout(io.StringIO()):
    try:
        code = main(sys.argv[1:])
    except SystemExit as end:  # argparse ends the process after --help
        code = end.code
print(json.dumps({"code": code, "modules": sorted({name.partition(".")[0] for name in sys.modules})}))
"""


@pytest.fixture
def loaded(tmp_path):
    """``loaded("runs")``: top-level modules that a command's process has at its end, the toy plugin installed."""
    from installed import TESTS, install_metadata

    install_metadata(tmp_path / "site", "dlkit-toy", "toy", "toy")
    root = str(Path(dlkit.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([root, str(TESTS), str(tmp_path / "site")])}

    def modules(*words: str) -> set[str]:
        command = [sys.executable, "-c", PROBE, *words]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, cwd=tmp_path)
        found = json.loads(done.stdout)
        assert found["code"] == 0, done.stderr
        return set(found["modules"])

    return modules


@pytest.mark.parametrize("words", [("--help",), ("--version",), ("runs",), ("runs", "--json"), ("runs", "--help")])
def test_help_and_runs_load_no_plugin_and_nothing_heavy(loaded, words):
    assert not loaded(*words) & {"torch", "pydantic", "textual", "pluggy", "numpy", *PLUGINS}


def test_runs_with_runs_to_list_loads_nothing_heavy_either(loaded, tmp_path):
    run = toy_run(tmp_path / "workspace")
    run.update(state="running", result=None)  # so that the folder is read, not the index
    words = ("runs", "--workspace", str(tmp_path / "workspace"))
    assert not loaded(*words) & {"torch", "pydantic", "textual", "pluggy", "numpy", *PLUGINS}


@pytest.mark.parametrize("words", [("tasks",), ("plugins",)])
def test_listing_loads_plugins_but_neither_torch_nor_pydantic(loaded, words):
    found = loaded(*words)
    assert "toy" in found
    assert not found & {"torch", "pydantic", "textual", "numpy"}


@pytest.mark.parametrize(
    "words",
    [("components",), ("components", "--task", "toy", "--json"), ("train", "toy", "--help"), ("data", "list")],
)
def test_options_are_read_without_torch(loaded, words):
    assert not loaded(*words) & {"torch", "textual"}


@pytest.mark.parametrize(
    "words", [("show", "last"), ("show", "last", "--json"), ("rename", "last", "x"), ("report", "last")]
)
def test_looking_at_a_run_takes_no_torch(loaded, tmp_path, words):
    toy_run(tmp_path / "workspace")
    assert not loaded(*words, "--workspace", str(tmp_path / "workspace")) & {"torch", "textual"}


def test_first_party_plugins_import_neither_torch_nor_pydantic_to_declare_themselves(loaded):
    found = loaded("plugins", "--json")
    assert {"dlkit_regression", "dlkit_classification", "dlkit_scratch"} <= found
    assert not found & {"torch", "pydantic", "numpy"}


@pytest.mark.parametrize(("package", "stranger"), [("tui", "cli"), ("tui", "web"), ("web", "cli"), ("web", "tui")])
def test_the_interface_and_the_web_do_not_mention_their_siblings(package: str, stranger: str) -> None:
    """Neither by import nor by a name to import; import-linter sees only the first."""
    folder = Path(dlkit.__file__).parent / package
    sources = {path: path.read_text(encoding="utf-8") for path in folder.rglob("*.py")}
    assert not [str(path) for path, source in sources.items() if f"dlkit.{stranger}" in source]
