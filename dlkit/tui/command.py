"""``dlkit`` and ``dlkit tui``: open the interface."""

from __future__ import annotations

from dlkit.cli.common import Parser
from dlkit.runs.workspace import locate


def main(argv: list[str]) -> int:
    parser = Parser("tui", "The terminal interface: tasks, runs, queue, playground.")
    parser.add_argument("--no-mouse", action="store_true", help="leave the mouse to the terminal")
    options = parser.with_workspace().parse_args(argv)
    from dlkit.tui.terminal import asking

    with asking():  # what pictures it can show; the answer comes while this is imported
        from dlkit.tui.app import DlkitApp

    app = DlkitApp(locate(options.workspace))
    app.run(mouse=not options.no_mouse)
    return app.return_code or 0
