"""``dlkit`` and ``dlkit tui``: open the interface."""

from __future__ import annotations

from dlkit.cli.parser import Parser
from dlkit.cli.sibling import function
from dlkit.runs.workspace import locate


def main(argv: list[str]) -> int:
    parser = Parser("tui", "The terminal interface: tasks, runs, queue, playground.")
    parser.add_argument("--no-mouse", action="store_true", help="leave the mouse to the terminal")
    options = parser.with_workspace().parse_args(argv)
    return function("dlkit.tui.command:open_interface")(locate(options.workspace), mouse=not options.no_mouse)
