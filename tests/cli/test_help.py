"""``--help`` helps, whatever else is on the line; and the first sign of life comes before torch."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from dlkit.cli.main import COMMANDS
from dlkit.cli.train_help import RARE
from toy import toy_run


@pytest.mark.parametrize(
    ("words", "shown", "problem"),
    [
        (["runs", "--nonsense"], "--limit N", "unrecognized arguments: --nonsense"),
        (["runs", "--limit", "many"], "--limit N", "argument --limit: invalid int value: 'many'"),
        (["show"], "--samples", ""),
        (["predict", "last", "--checkpoint"], "--checkpoint C", "expected one argument"),
        (["ask", "last", "nonsense"], "{sample,checkpoint}", "invalid choice: 'nonsense'"),
        (["queue", "nonsense"], "dlkit queue list | run | cancel", "no dlkit queue 'nonsense'"),
        (["queue", "cancel"], "RUN", ""),
        (["data", "nonsense"], "dlkit data ACTION", "no action 'nonsense'"),
        (["data", "get"], "--mirror", ""),
        (["data", "show", "toy", "--count", "many"], "--count N", "invalid int value: 'many'"),
        (["data", "show", "toy", "--dataset.scale"], "--count N", ""),
        (["predict", "last", "--inference.scale"], "--checkpoint C", ""),
        (["train"], "TASK is one of: toy", ""),
        (["train", "ty"], "TASK is one of: toy", "no task 'ty': did you mean 'toy'?"),
        (
            ["train", "toy", "all", "--modle", "linear"],
            "--model.dropout",
            "unknown option --modle: did you mean 'model'?",
        ),
        (
            ["train", "toy", "all", "--sample-every", "never"],
            "--model.dropout",
            "unknown option --sample-every: did you mean --engine.sample_every?",
        ),
        (["train", "toy", "all", "--model", "lin"], "--model.dropout", "'lin'"),
        (["train", "toy", "all", "--model.dropout", "9"], "--model.dropout", "dropout"),
        (["train", "toy", "all", "--trainer.nonsense", "1", "--lr", "0.5"], "default 0.5, from flag", "no such option"),
        (["train", "toy", "all", "--epochs"], "--engine.epochs", "needs a value"),
        (["train", "toy", "all", "--config", "nowhere.toml"], "--engine.epochs", "no configuration file"),
        (["train", "toy", "all", "--json=1", "extra"], "--engine.epochs", "--json is a switch"),
    ],
)
@pytest.mark.parametrize("first", [False, True])
def test_an_incomplete_or_wrong_line_is_helped(dlkit, words, shown, problem, first, capsys):
    at = 2 if words[0] in ("queue", "data") else 1
    line = [*words[:at], "--help", *words[at:]] if first else [*words, "-h"]
    capsys.readouterr()
    try:
        found = dlkit(*line)
        code, out, err = found.code, found.out, found.err
    except SystemExit as end:  # as argparse ends
        out, err = capsys.readouterr()
        code = end.code
    assert code in (0, None) and shown in out, err
    assert problem in err and ("note: " in err) == bool(problem)


def test_help_is_short_first_and_whole_on_demand(dlkit):
    short, whole = dlkit("--help").out, dlkit("--help", "all").out
    assert "pause" in short and "have a running job wait" not in short and "have a running job wait" in whole
    assert {line.split()[0] for line in whole.splitlines() if line.startswith("  ")} == set(COMMANDS)

    first, every = dlkit("train", "toy", "--help").out, dlkit("train", "toy", "--help", "all").out
    assert "--engine.epochs, --epochs" in first and "--engine.keep" not in first and "--model.dropout" not in first
    assert "--engine.keep" in every and "--model.dropout" in every and "--help all" not in every.splitlines()[-1]
    hidden = re.search(r"^(\d+) options more", first, re.MULTILINE)
    assert hidden is not None and int(hidden[1]) == every.count("\n  --") - first.count("\n  --") - len(RARE)

    named = dlkit("train", "toy", "--model", "linear", "--help").out
    assert "--model.dropout" in named and "--engine.keep" not in named
    assert "--trainer.momentum" in dlkit("train", "toy", "--trainer.momentum", "0.5", "--help").out


def test_what_must_be_given_is_said_to_be_required(dlkit, monkeypatch):
    from installed import all_but

    monkeypatch.setenv("DLKIT_DISABLE", all_but("regression"))
    found = dlkit("train", "regression", "--dataset", "files", "--help")
    assert found.code == 0 and "--dataset.path" in found.out and "required]" in found.out
    assert "dataset.path" in found.err


PROBE = """
import sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            print("<torch>", file=sys.stderr, flush=True)

sys.meta_path.insert(0, Finder())
from dlkit.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["evaluate", "last"], True),
        (["predict", "last", "1,2,3"], True),
        (["evaluate", "last", "--json"], False),
        (["show", "last"], False),
    ],
)
def test_on_a_terminal_there_is_a_sign_of_life_before_torch(
    words: list[str], said: bool, tmp_path: Path, toy_installed: Path
) -> None:
    toy_run(tmp_path / "workspace")
    path = os.pathsep.join([str(toy_installed), *sys.path])
    environment = {**os.environ, "PYTHONPATH": path, "DLKIT_WORKSPACE": str(tmp_path / "workspace"), "TERM": "xterm"}
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", PROBE, *words], stdout=subprocess.PIPE, stderr=slave, env=environment
    )
    os.close(slave)
    written = b""
    while True:
        try:
            piece = os.read(master, 4096)
        except OSError:  # its other end is closed
            break
        if not piece:
            break
        written += piece
    os.close(master)
    assert process.stdout is not None
    process.stdout.read()
    process.stdout.close()
    assert process.wait() == 0, written
    assert (b"loading torch" in written) == said
    if said:
        before, _, after = written.partition(b"loading torch \xe2\x80\xa6")
        assert before == b"" and b"<torch>" in after and b"\r             " in after
