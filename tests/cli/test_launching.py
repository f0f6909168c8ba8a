"""What ``train`` and ``resume`` say at the end, and with which exit code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from dlkit.cli import launching
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
