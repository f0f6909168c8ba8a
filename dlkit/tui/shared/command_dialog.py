"""A command of dlkit in a process of its own: its talk line by line, how far it is, and a key that ends it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Label, ProgressBar, RichLog
from textual.worker import get_current_worker

from dlkit.interpreter import python
from dlkit.present.numbers import duration

_PART = re.compile(r"([\d.]+) of ([\d.]+) (?:MB|batches)")


class CommandDialog(ModalScreen[bool]):
    """Runs ``commands`` one after the other, each the words behind ``dlkit``; dismissed with True when all have done
    their work: by itself, if it does not ``stay``. Closing it ends the one that runs."""

    DEFAULT_CSS = """
    CommandDialog { align: center middle; }
    CommandDialog > Vertical { width: 76; max-width: 96%; height: auto; max-height: 90%; border: round $primary;
                               padding: 0 1; background: $surface; }
    CommandDialog ProgressBar { margin: 1 0; }
    CommandDialog Bar { width: 56; }
    CommandDialog RichLog { height: 8; background: $surface; scrollbar-size-vertical: 1; }
    """
    BINDINGS = [Binding("escape,enter", "close", "Close", id="fetch.close")]
    hint = "escape: stop"
    failed = "failed; escape: close"

    class Said(Message):
        """A line of the process's talk."""

        def __init__(self, text: str) -> None:
            self.text = text
            super().__init__()

    class Ended(Message):
        def __init__(self, code: int) -> None:
            self.code = code
            super().__init__()

    def __init__(self, title: str, commands: Sequence[Sequence[str]], *, stays: bool = True) -> None:
        super().__init__()
        self._heading, self._commands, self._stays = title, commands, stays
        self._process: subprocess.Popen[str] | None = None
        self._began = time.monotonic()
        self._code: int | None = None

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Label(self._heading, markup=False, id="title")
            yield ProgressBar(total=None, show_eta=False)
            yield RichLog(min_width=0, wrap=True, markup=False)  # what is wider than the dialog is cut off
            yield Label(self.hint, id="hint", markup=False)

    @property
    def pid(self) -> int:
        """The process; 0 before there is one."""
        return self._process.pid if self._process is not None else 0

    def on_mount(self) -> None:
        self._run()
        self.set_interval(1.0, self._tick)

    def _tick(self) -> None:
        if self._code is None:
            self.query_one("#hint", Label).update(f"{duration(time.monotonic() - self._began)}   {self.hint}")

    @work(thread=True, exclusive=True, group="command", exit_on_error=False)
    def _run(self) -> None:
        code = 0
        for words in self._commands:
            for line in self._lines(words):
                self.post_message(self.Said(line))
            code = code or (self._process.returncode if self._process else 1)
            if code or get_current_worker().is_cancelled:
                break
        self.post_message(self.Ended(code))

    def _lines(self, words: Sequence[str]) -> Iterator[str]:
        self._process = subprocess.Popen(
            python("dlkit", *words),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
            env={**os.environ, "DLKIT_REPORT_SECONDS": "0.5"},
        )
        assert self._process.stdout is not None
        with self._process:
            yield from (line.rstrip() for line in self._process.stdout)

    def on_command_dialog_said(self, message: Said) -> None:
        have = fraction(message.text)
        if have is None:
            self.query_one(RichLog).write(message.text)
        else:
            self.query_one(ProgressBar).update(total=100, progress=100 * have)

    def on_command_dialog_ended(self, message: Ended) -> None:
        self._code = message.code
        if message.code == 0 and not self._stays:
            self.action_close()
            return
        if message.code == 0:
            self.query_one(ProgressBar).update(total=100, progress=100)
        words = (
            f"done in {duration(time.monotonic() - self._began)}; escape: close" if not message.code else self.failed
        )
        self.query_one("#hint", Label).update(words)

    def action_close(self) -> None:
        if self._process is not None and self._process.poll() is None:
            with suppress(ProcessLookupError):  # it has just ended
                os.killpg(self._process.pid, signal.SIGTERM)  # what it started goes with it
        self.dismiss(self._code == 0)


def fraction(line: str) -> float | None:
    """How much is done, of a line ``NAME: 3.1 of 11.5 MB`` or ``… 12 of 40 batches``; None of any other."""
    found = _PART.fullmatch(line.rpartition(": ")[2])
    try:
        return min(1.0, float(found[1]) / max(1e-9, float(found[2]))) if found else None
    except ValueError:
        return None
