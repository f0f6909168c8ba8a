"""Opening the interface, and opening it again after an error of its own."""

from __future__ import annotations

import gc
import os
import sys
import time
import traceback
from pathlib import Path

from dlkit.errors import UsageError
from dlkit.folders import settings as folder
from dlkit.present.output import say

FRAMES = "120"
"""Most frames a second, unless TEXTUAL_FPS says otherwise. Textual's 60 let a key that comes just after a frame wait
for up to 30 ms; a screen that stands still is not drawn at all."""
GARBAGE = 10_000
"""Objects made between two collections. A long log is read through millions that live for milliseconds, which at
Python's 700 takes a sixth more time."""
AGAIN_SECONDS = 5.0
"""An interface that breaks sooner than this after it was opened is not opened again."""


def open_interface(workspace: Path, *, mouse: bool) -> int:
    """Show the interface until it is left; returns the exit code. UsageError without a terminal."""
    _check_terminal()
    os.environ.setdefault("TEXTUAL_FPS", FRAMES)  # Textual reads it when it is imported
    from dlkit.tui.shared.terminal import AUTO, PICTURES, asking, end_without_terminal

    PICTURES.choose(os.environ.get("DLKIT_IMAGES") or AUTO)
    with asking():  # what pictures it can show; the answer comes while this is imported
        from dlkit.tui.app import DlkitApp

    end_without_terminal()
    gc.set_threshold(GARBAGE, *gc.get_threshold()[1:])
    greeting = ""
    while True:
        began = time.monotonic()
        app = DlkitApp(workspace, greeting)
        app.run(mouse=mouse)
        if app.crash is None:
            return app.return_code or 0
        greeting = f"Something went wrong in dlkit itself: {note_crash(app.crash)}. Jobs are not touched."
        if time.monotonic() - began < AGAIN_SECONDS:
            say(greeting)
            return 1


def _check_terminal() -> None:
    """UsageError without a terminal to show and to type in. A browser's tab, whose driver is named, is one."""
    if "TEXTUAL_DRIVER" in os.environ:
        return
    for stream, name in ((sys.stdin, "input"), (sys.stdout, "output")):
        if stream is None or not stream.isatty():
            raise UsageError(f"its {name} is not a terminal; without one there are dlkit runs, show, watch, train, …")


def note_crash(error: BaseException) -> str:
    """Write an error's traceback down; returns what it is and where it lies, in a line."""
    what = f"{type(error).__name__}: {error}".partition("\n")[0]
    path: Path = folder() / "errors.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(time.strftime("%Y-%m-%d %H:%M:%S\n") + "".join(traceback.format_exception(error)) + "\n")
    except OSError:
        return what
    return f"{what} (details: {path})"
