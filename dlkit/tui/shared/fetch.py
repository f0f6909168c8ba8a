"""Getting data: ``dlkit data get`` in a process of its own, its talk shown line by line."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Label, ProgressBar, RichLog
from textual.worker import get_current_worker

from dlkit.interpreter import python
from dlkit.present.numbers import size


class FetchDialog(ModalScreen[bool]):
    """Fetches sources one after the other; dismissed with True when all are there: by itself, if it does not ``stay``.
    Closing it ends the download, which goes on from there the next time."""

    DEFAULT_CSS = """
    FetchDialog { align: center middle; }
    FetchDialog > Vertical { width: 76; height: auto; max-height: 20; border: round $primary; padding: 0 1;
                             background: $surface; }
    FetchDialog ProgressBar { margin: 1 0; }
    FetchDialog Bar { width: 56; }
    FetchDialog RichLog { height: 8; background: $surface; scrollbar-size-vertical: 1; }
    """
    BINDINGS = [Binding("escape,enter", "close", "Close", id="fetch.close")]

    class Said(Message):
        """A line of the process's talk."""

        def __init__(self, text: str) -> None:
            self.text = text
            super().__init__()

    class Ended(Message):
        def __init__(self, code: int) -> None:
            self.code = code
            super().__init__()

    def __init__(self, sources: Sequence[str], total: int, workspace: Path, *, stays: bool = True) -> None:
        super().__init__()
        self._stays = stays
        self._sources, self._total, self._workspace = sources, total, workspace
        self._process: subprocess.Popen[str] | None = None
        self._code: int | None = None

    def compose(self) -> ComposeResult:
        with Vertical():
            amount = f" ({size(self._total)})" if self._total else ""
            yield Label(f"Fetching {', '.join(self._sources)}{amount}", markup=False, id="title")
            yield ProgressBar(total=None, show_eta=False)
            yield RichLog(min_width=0, wrap=True, markup=False)  # what is wider than the dialog is cut off
            yield Label("escape: stop (goes on from there the next time)", id="hint", markup=False)

    def on_mount(self) -> None:
        self._fetch()

    @work(thread=True, exclusive=True, group="fetch", exit_on_error=False)
    def _fetch(self) -> None:
        code = 0
        for name in self._sources:
            for line in self._lines(name):
                self.post_message(self.Said(line))
            code = code or (self._process.returncode if self._process else 1)
            if code or get_current_worker().is_cancelled:
                break
        self.post_message(self.Ended(code))

    def _lines(self, name: str) -> Iterator[str]:
        words = python("dlkit", "data", "get", name, "--workspace", str(self._workspace))
        self._process = subprocess.Popen(
            words,
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

    def on_fetch_dialog_said(self, message: Said) -> None:
        have = fraction(message.text)
        if have is None:
            self.query_one(RichLog).write(message.text)
        else:
            self.query_one(ProgressBar).update(total=100, progress=100 * have)

    def on_fetch_dialog_ended(self, message: Ended) -> None:
        self._code = message.code
        if message.code == 0 and not self._stays:
            self.action_close()
            return
        if message.code == 0:
            self.query_one(ProgressBar).update(total=100, progress=100)
        words = "done; escape: close" if message.code == 0 else "failed; nothing is lost; escape: close"
        self.query_one("#hint", Label).update(words)

    def action_close(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
        self.dismiss(self._code == 0)


def fraction(line: str) -> float | None:
    """How much of a file is there, of a line ``NAME: 3.1 of 11.5 MB``; None of any other."""
    words = line.rpartition(": ")[2].split()
    if len(words) != 4 or words[1] != "of" or words[3] != "MB":
        return None
    try:
        return min(1.0, float(words[0]) / max(1e-9, float(words[2])))
    except ValueError:
        return None
