"""Whatever ``--config`` leads to, and names as long as no file has them: exit code 2 and the reason, no traceback."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from dlkit.cli.main import main
from dlkit.data.options import TextFiles

LONG = "n" * 300
DEEP = "[" * 3000
WRONG: dict[str, str | bytes] = {
    "a list of tables": "[[engine]]\nepochs = 1\n",
    "a list where a name should be": "model = ['mlp']\n",
    "a name that is a table": "[model]\nname = {a = 1}\n",
    "a name that is a list": "[model]\nname = ['mlp']\n",
    "a name of 300 bytes": f"[model]\nname = '{LONG}'\n",
    "a key of 300 bytes": f"{LONG} = 1\n",
    "a task that is none": "task = 7\n",
    "three thousand deep": f"[dataset]\nx = {DEEP}{']' * 3000}\n",
    "three thousand deep, open": f"x = {DEEP}",
    "tables three thousand deep": f"[{'.'.join('a' * 3000)}]\n",
    "a number of 5 000 digits": f"[engine]\nepochs = {'9' * 5000}\n",
    "a hexadecimal number of 5 000 digits": f"[engine]\nepochs = 0x{'f' * 5000}\n",
    "a number of 5 000 digits after the point": f"[trainer]\nlr = -0.{'9' * 5000}\n",
    "not a number": "[trainer]\nlr = nan\n",
    "infinite": "[trainer]\nlr = inf\n",
    "a date": "[engine]\nepochs = 2026-01-01\n",
    "bytes": b"\xff\xfe\0\1",
    "NUL": b"[engine]\nepochs = 1\0\n",
    "a program": b"\x7fELF" + bytes(1000),
    "two of one key": "task = 'regression'\ntask = 'regression'\n",
    "very large": b"# " + b"x" * (2 << 20),
}


@pytest.fixture
def refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """What a command says that ends with 2; nothing else has come of it."""

    def ask(*words: str) -> str:
        assert main([*words, "--workspace", str(tmp_path / "workspace")]) == 2
        said = capsys.readouterr()
        assert "Traceback" not in said.err and not said.out
        assert len(said.err) < 5000
        assert not (tmp_path / "workspace").exists()
        return said.err

    return ask


@pytest.mark.parametrize("what", WRONG)
def test_a_configuration_of_the_wrong_shape_is_refused(what: str, tmp_path: Path, refused: Callable[..., str]) -> None:
    content = WRONG[what]
    (tmp_path / "run.toml").write_bytes(content if isinstance(content, bytes) else content.encode())
    refused("train", "regression", "--config", str(tmp_path / "run.toml"))


def test_what_is_no_file_is_refused(tmp_path: Path, refused: Callable[..., str]) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "loop", Path("/dev/zero"), tmp_path / LONG, Path("a\0b")):
        said = refused("train", "regression", "--config", str(path))
        assert str(path).partition("\0")[0][:80] in said


@pytest.mark.parametrize(
    "words",
    [
        ("--model", LONG),
        ("--dataset", LONG),
        ("--preset", LONG),
        ("--name", LONG),
        ("--" + LONG, "1"),
        ("--model." + LONG, "1"),
        ("--engine.epochs", "9" * 5000),
        ("--engine.epochs", "0x" + "f" * 5000),
        ("--lr", "1e999999999"),
        ("--model.hidden", DEEP),
        ("--model.hidden", "{a=" * 3000),
        ("--model.hidden", "\udcff"),
        ("--init-from", LONG),
        ("--init-from", "/" + LONG),
    ],
)
def test_words_that_nobody_means_are_refused(words: tuple[str, str], refused: Callable[..., str]) -> None:
    refused("train", "regression", *words)


def test_a_task_and_a_command_of_300_bytes_are_refused(refused: Callable[..., str]) -> None:
    refused("train", LONG)
    assert main([LONG]) == 2


@pytest.mark.parametrize("command", ["train", "runs", "show", "resume", "queue", "clean"])
def test_a_workspace_that_cannot_be_is_an_error_not_a_traceback(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = {"train": ["train", "regression", "--epochs", "1"], "show": ["show", "last"], "resume": ["resume", "last"]}
    code = main([*words.get(command, [command]), "--workspace", str(tmp_path / LONG)])
    assert code in (0, 1, 2)
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("a" * 300, "longer than the name of a file may be"),
        ("a/" * 5000, "longer than the name of a file may be"),
        ("~nobody-of-that-name/x", "there is no such home"),
        ("a\0b", "null"),
    ],
)
def test_paths_that_no_file_can_have(path: str, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        TextFiles(path=path)
