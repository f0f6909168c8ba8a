"""Make train.svg: a real run in a real terminal (tmux), its screen captured and drawn.

uv run python docs/pictures/screenshot.py
"""

from __future__ import annotations

import io
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.text import Text

COMMAND = "dlkit train classification --epochs 12"
WIDTH, HEIGHT = 100, 64
SESSION = "dlkit-screenshot"
HERE = Path(__file__).parent


def tmux(*words: str) -> str:
    return subprocess.run(["tmux", "-L", SESSION, *words], check=True, capture_output=True, text=True).stdout


def screen_of(command: str, folder: str) -> str:
    """The terminal's screen, with colours, when the command has ended."""
    path = f"PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH"
    shell = f"cd {folder}; export {path} COLORTERM=truecolor PS1='$ '; clear; exec sh"
    tmux("new-session", "-d", "-x", str(WIDTH), "-y", str(HEIGHT), shell)
    try:
        tmux("send-keys", f"{command}; echo the-end", "Enter")
        for _ in range(600):
            time.sleep(0.5)
            screen = tmux("capture-pane", "-p", "-e")
            if any(line.strip() == "the-end" for line in tmux("capture-pane", "-p").splitlines()):
                break
        return screen
    finally:
        tmux("kill-server")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        screen = screen_of(COMMAND, folder)
    lines = [line for line in screen.rstrip().splitlines() if "the-end" not in Text.from_ansi(line).plain]
    while lines and Text.from_ansi(lines[-1]).plain.strip() in ("", "$"):
        lines.pop()
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text("$ " + COMMAND))
    for line in lines:
        console.print(Text.from_ansi(line), no_wrap=True)
    console.save_svg(str(HERE / "train.svg"), title="dlkit")


if __name__ == "__main__":
    main()
