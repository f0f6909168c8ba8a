"""An error of the interface's own: never a traceback over the terminal, and the interface is there again."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from terminal import Terminal
from waiting import LONG

SCRIPT = """
import sys
from dlkit.cli import tui
from dlkit.tui import command
from dlkit.tui.home import screen as home
def boom(self, broken=[1]):
    if broken and broken.pop():
        raise RuntimeError("the wire is [b]cut")
home.HomeScreen.action_best = boom
command.AGAIN_SECONDS = float(sys.argv[1])
sys.exit(tui.main([]))
"""


@pytest.mark.parametrize(("patience", "code"), [("0", 0), ("1000", 1)])
def test_a_crash_is_written_down_and_the_interface_opened_again(
    patience: str, code: int, tmp_path: Path, config_folder: Path
) -> None:
    environment = {"DLKIT_WORKSPACE": str(tmp_path), "DLKIT_CONFIG": os.environ["DLKIT_CONFIG"]}
    with Terminal([sys.executable, "-c", SCRIPT, patience], environment=environment) as terminal:
        terminal.wait_for("regression")
        terminal.send("b")
        terminal.wait_for("RuntimeError: the wire")
        assert "Traceback" not in terminal.text
        if code == 0:
            terminal.wait_for("regression")
            terminal.send("\x11")
        while terminal.read(0.1):
            pass
        assert terminal.process.wait(LONG) == code
    log = (config_folder / "errors.log").read_text()
    assert log.count("RuntimeError: the wire is [b]cut") == 1 and "Traceback" in log


def test_it_ends_with_its_terminal_even_where_that_is_not_to_be_heard_of(tmp_path: Path) -> None:
    """Under nohup: no SIGHUP, and a terminal that cannot be read or written."""
    environment = {"DLKIT_WORKSPACE": str(tmp_path), "DLKIT_CONFIG": os.environ["DLKIT_CONFIG"]}
    words = ["sh", "-c", 'trap "" HUP; exec "$0" -m dlkit', sys.executable]
    with Terminal(words, environment=environment) as terminal:
        terminal.wait_for("regression")
        terminal.hang_up()
        assert terminal.process.wait(LONG) == 128 + signal.SIGHUP
