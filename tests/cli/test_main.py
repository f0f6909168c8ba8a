"""Which command a line means, before any command looks at it."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from dlkit.present.output import print_toml
from installed import PLUGINS
from waiting import LONG


@pytest.mark.parametrize("before", [True, False])
def test_the_workspace_may_stand_before_the_command(dlkit, tmp_path, before):
    words = ["--workspace", tmp_path, "runs"] if before else ["runs", "--workspace", tmp_path]
    assert dlkit(*words, "--json").json == []


def test_an_unknown_command_names_the_nearest(dlkit):
    outcome = dlkit("trian")
    assert outcome.code == 2
    assert "'train'" in outcome.err


@pytest.mark.parametrize("words", [["tui"], ["--workspace", "here"]])
def test_the_interface_needs_a_terminal(words, tmp_path):
    command = [sys.executable, "-m", "dlkit", *words]
    done = subprocess.run(command, cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LONG)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("dlkit tui: its input is not a terminal")
    assert list(tmp_path.iterdir()) == []


def test_without_a_terminal_and_words_there_is_help(tmp_path):
    command = [sys.executable, "-m", "dlkit"]
    done = subprocess.run(command, cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LONG)
    assert done.returncode == 0 and "usage: dlkit COMMAND" in done.stdout


@pytest.mark.parametrize("words", [["--help"], ["tasks"], ["train", "classification", "--help"]])
def test_a_reader_that_has_seen_enough_is_no_error(words, tmp_path):
    """``dlkit … | head -1``: its end of the pipe is closed before all is written."""
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "dlkit", *words],
        cwd=tmp_path,
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        timeout=LONG,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_configuration_reads_the_same_whatever_stdout_can_hold(
    encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = 'path = "/daten/Grün/日本/𝔸"  # größe\n'
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding, "replace"))
    print_toml(text)
    sys.stdout.flush()
    assert tomllib.loads(raw.getvalue().decode(encoding)) == tomllib.loads(text)


@pytest.mark.parametrize(("words", "collects"), [(["runs"], False), (["--help"], False), (["tasks"], True)])
def test_only_what_ends_at_once_leaves_garbage_where_it_is(words: list[str], collects: bool, tmp_path: Path) -> None:
    code = (
        f"import gc, sys; from dlkit.cli.main import main; sys.argv = ['dlkit', *{words!r}]\n"
        "main(); print(gc.isenabled(), file=sys.stderr)"
    )
    environment = {**os.environ, "DLKIT_WORKSPACE": str(tmp_path), "DLKIT_DISABLE": ",".join(PLUGINS)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == str(collects)
