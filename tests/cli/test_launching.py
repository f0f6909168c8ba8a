"""What ``train`` and ``resume`` say at the end, and with which exit code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from dlkit.cli import launching
from dlkit.cli.main import main
from dlkit.cli.progress import Lines
from dlkit.events import Event, Finished
from dlkit.jobs import foreground

Command = Callable[..., Any]
QUICK = ("train", "toy", "--epochs", "1", "--device", "cpu")


def ctrl_c(*_: object, **__: object) -> NoReturn:
    raise KeyboardInterrupt


def shown_and_interrupted(display: Lines, event: Event) -> None:
    if isinstance(event, Finished):
        raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("where", "what", "come"),
    [
        (foreground, "wake", ctrl_c),
        (launching, "result", ctrl_c),
        (Lines, "_show", shown_and_interrupted),
    ],
)
def test_ctrl_c_after_the_end_does_not_change_how_it_ended(
    dlkit: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: object, what: str, come: object
) -> None:
    monkeypatch.setattr(where, what, come)
    done = dlkit(*QUICK, "--workspace", tmp_path)
    assert done.code == 0
    assert "interrupted" not in done.err
    assert ("completed, " in done.out) == (what != "result")


@pytest.mark.parametrize("more", [[], ["--queue"], ["--model", "faulty"]])
def test_quiet_means_it(
    more: list[str],
    tmp_path: Path,
    toy_installed: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing but the result; of a failure its reason, which is one."""
    monkeypatch.setattr("dlkit.jobs.handover.wake", lambda workspace: None)
    capsys.readouterr()
    code = main(["train", "toy", "--epochs", "1", "--quiet", "--workspace", str(tmp_path), *more])
    out, err = capsys.readouterr()
    (run,) = (tmp_path / "runs").iterdir()
    assert code == ("faulty" in more) and err == ""
    assert out == f"{run.name}\n" if "--queue" in more else out.startswith(f"{run.name}: ")
