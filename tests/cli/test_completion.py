"""What fits at the end of a line, asked of the toy plugin's real declarations; and real shells at a real terminal."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from pathlib import Path

import pytest

from dlkit.cli.complete import kept
from dlkit.cli.complete.answer import split
from dlkit.cli.complete.scripts import SCRIPTS
from dlkit.cli.main import COMMANDS
from recorded import record_run
from tmux import Tmux
from toy import toy_run


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLKIT_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def offered(dlkit):
    def ask(line: str, shell: str = "zsh", *more: str) -> list[str]:
        found = dlkit("completion", shell, "--line", line, *more)
        assert (found.code, found.err) == (0, "")
        return [row.partition("\t")[0] for row in found.out.splitlines()]

    return ask


@pytest.mark.parametrize(
    ("line", "all_of", "none_of"),
    [
        ("dlkit ", ["train", "runs", "completion"], ["queue list"]),
        ("dlkit ru", ["runs"], ["train"]),
        ("dlkit --w", ["--workspace"], ["runs"]),
        ("dlkit --workspace /nowhere ru", ["runs"], ["train"]),
        ("dlkit queue ", ["list", "run", "cancel"], ["--json"]),
        ("dlkit queue list --", ["--json", "--workspace"], ["list"]),
        ("dlkit data ", ["get", "show"], []),
        ("dlkit components ", ["model", "trainer"], []),
        ("dlkit components model --task ", ["toy"], ["model"]),
        ("dlkit ask last ", ["sample", "checkpoint"], []),
        ("dlkit check-plugin ", ["toy"], ["model-exports"]),
        ("dlkit check-plugin toy --only ", ["model-exports"], ["toy"]),
        ("dlkit check-plugin toy --only data-o", ["data-offline"], ["model-exports"]),
        ("dlkit data example ", ["toy"], ["linear"]),
        ("dlkit evaluate last --split ", ["train", "val", "test"], []),
        ("dlkit train ", ["toy"], ["linear"]),
        ("dlkit train toy --", ["--model", "--lr", "--detach", "--epochs"], ["--model.dropout", "--engine.keep"]),
        ("dlkit train toy --model", ["--model", "--model.dropout"], ["--lr"]),
        ("dlkit train toy --model ", ["linear"], ["--model.dropout"]),
        ("dlkit train toy --model=", ["--model=linear"], ["linear"]),
        ("dlkit train toy --precision ", ["auto", "float32", "bf16"], []),
        ("dlkit train toy --engine.layers ", ["true", "false"], []),
        ("dlkit train toy --config ", [":files"], []),
        ("dlkit train toy --name ", [], ["toy"]),
        ("dlkit study ", ["list", "show", "toy"], ["linear"]),
        ("dlkit study toy --", ["--vary", "--seeds", "--lr"], ["--model.dropout"]),
        ("dlkit study toy --search ", ["grid", "random"], ["toy"]),
        ("dlkit study toy --vary ", ["model=", "trainer.lr="], ["--lr"]),
        ("dlkit study show ", [], ["toy"]),
        ("dlkit nonsense ", [], ["toy"]),
        ("dlkit runs ", ["task:toy", "state:failed", "tag:", "since:"], ["toy"]),
        ("dlkit runs --sort ", ["best", "time", "lr"], ["toy"]),
        ("dlkit runs --columns run,st", ["run,state", "run,step"], ["run,run", "state"]),
        ("dlkit runs --group=ta", ["--group=tag", "--group=task"], ["tag"]),
        ("dlkit completion ", ["bash", "zsh", "fish"], []),
    ],
)
def test_what_may_follow_is_offered_and_nothing_else(offered, line, all_of, none_of):
    found = offered(line)
    assert set(all_of) <= set(found), found
    assert not set(none_of) & set(found)
    assert bool(found) == bool(all_of)


def test_every_command_offers_the_options_that_its_parser_has(offered, dlkit):
    for command in COMMANDS:
        divided = offered(f"dlkit {command} ") if command in ("queue", "data", "study", "service", "remote") else [""]
        for action in divided:
            assert "--help" in offered(f"dlkit {command} {action} --"), (command, action)


def test_runs_are_offered_with_what_they_are_and_by_the_end_of_their_id(offered, dlkit, trained, ids):
    told = dlkit("completion", "zsh", "--line", f"dlkit --workspace {trained} show ").out
    assert f"{ids[0]}\tfirst · toy · linear · completed" in told
    assert offered(f"dlkit show --workspace {trained} ") == [*reversed(ids), "first", "last", "toy@best"]
    assert offered(f"dlkit show --workspace {trained} {ids[0][-4:]}") == [ids[0]]
    assert offered(f"dlkit show --workspace {trained} fi") == ["first"]
    assert offered(f"dlkit fork --workspace {trained} {ids[0][-4:]}") == [ids[0]]
    assert "--allow-inexact" in offered(f"dlkit fork --workspace {trained} last@6 --")
    assert "--trainer.lr" in offered(f"dlkit fork --workspace {trained} last@6 --trainer.")
    assert "trainer.lr" in offered(f"dlkit set --workspace {trained} last tr")
    assert offered("dlkit show --workspace /nowhere ") == []


def test_tags_that_mean_one_run_are_offered(offered, dlkit, tmp_path):
    one, other = (record_run(tmp_path, number) for number in range(2))
    dlkit("rename", other.id, "good", "--workspace", tmp_path)
    for run, words in ((one, ["baseline", "both", "good"]), (other, ["both"])):
        assert dlkit("tag", run.id, *words, "--workspace", tmp_path).code == 0
    assert {"baseline", "good"} <= {*offered(f"dlkit show --workspace {tmp_path} ")}
    assert offered(f"dlkit show --workspace {tmp_path} bo") == []
    told = dlkit("completion", "zsh", "--line", f"dlkit --workspace {tmp_path} show ").out
    assert any(line.startswith("baseline\t") and "baseline, both, good" in line for line in told.splitlines())
    assert [line.partition("\t")[0] for line in told.splitlines()].count("good") == 1


def test_what_is_kept_is_read_again_and_made_anew_when_a_source_has_changed(offered, toy_installed):
    offered("dlkit train toy --")
    (path,) = kept.folder().glob("task-toy.json")
    document = json.loads(path.read_text())
    document["built"]["sections"]["engine"][0]["words"] = ["--engine.kept"]
    path.write_text(json.dumps(document))
    assert "--engine.kept" in offered("dlkit train toy --engine.")
    source = next(file for file in document["stamps"] if file.endswith("toy_options.py"))
    assert Path(source).is_file()
    document["stamps"][source] -= 1
    path.write_text(json.dumps(document))
    assert "--engine.kept" not in offered("dlkit train toy --engine.")
    for broken in ("", "[]", '{"format": 1}', "\x00"):
        path.write_text(broken)
        assert "--engine.epochs" in offered("dlkit train toy --engine.")


def test_where_nothing_can_be_kept_the_answer_is_the_same(offered, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("DLKIT_CACHE", str(tmp_path / "file"))
    assert "toy" in offered("dlkit train ")


def test_words_are_those_of_a_shell():
    assert split("dlkit show 'a b' c\\ d \"e") == ["dlkit", "show", "a b", "c d", "e"]
    assert split("dlkit  show ") == ["dlkit", "show", ""]


def test_bash_gets_what_follows_the_letters_that_end_a_word_for_it(offered, tmp_path):
    breaks = "\"'@><=;|&(:"
    assert offered("dlkit train toy --model=li", "bash", "--breaks", breaks) == ["linear"]
    toy_run(tmp_path / "w", name="two words")
    assert "two\\ words" in offered(f"dlkit show --workspace {tmp_path / 'w'} ", "bash")


@pytest.mark.parametrize("shell", SCRIPTS)
def test_a_real_shell_completes(shell: str, tmp_path: Path, toy_installed: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    command = tmp_path / "bin" / "dlkit"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m dlkit.cli.main "$@"\n')
    command.chmod(0o755)
    toy_run(tmp_path / "workspace", name="first")
    environment = {
        **{name: os.environ[name] for name in ("LANG", "LC_ALL", "VIRTUAL_ENV") if name in os.environ},
        "PATH": f"{command.parent}:{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join([str(toy_installed), *sys.path]),
        "DLKIT_WORKSPACE": str(tmp_path / "workspace"),
        "DLKIT_CACHE": str(tmp_path / "cache"),
        "HOME": str(tmp_path),
        "TERM": "xterm",
    }
    begin = {"bash": "bash --norc", "zsh": "zsh -f", "fish": "fish --no-config"}[shell]
    load = {
        "bash": 'eval "$(dlkit completion bash)"',
        "zsh": 'autoload -U compinit && compinit -D && eval "$(dlkit completion zsh)"',
        "fish": "dlkit completion fish | source",
    }[shell]
    with Tmux(begin, columns=120, environment=environment) as terminal:
        terminal.type(f"{load}; echo read''y")
        terminal.press("Enter")
        terminal.wait_for("ready")
        for typed, completed in (
            ("dlkit completi", "dlkit completion"),
            ("dlkit train toy --model li", "--model linear"),
            ("dlkit show fir", "dlkit show first"),
            ("dlkit train toy --config bi", "--config bin/"),
        ):
            terminal.press("C-c")
            terminal.type(f"cd {tmp_path}; clear")
            terminal.press("Enter")
            terminal.type(typed)
            terminal.press("Tab")
            terminal.wait_for(completed)
