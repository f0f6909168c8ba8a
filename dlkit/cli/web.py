"""``dlkit web``: the interface in a browser on this machine."""

from __future__ import annotations

import argparse

from dlkit.cli.parser import Parser
from dlkit.cli.sibling import function
from dlkit.runs.workspace import locate


def main(argv: list[str]) -> int:
    parser = Parser("web", "The terminal interface in a browser on this machine; prints the address to open.")
    parser.add_argument("--port", type=int, default=0, metavar="N", help="1 to 65535 (default: a free one)")
    parser.add_argument(
        "--open", action=argparse.BooleanOptionalAction, default=False, help="open a browser (default: no)"
    )
    parser.add_argument(
        "--tabs", type=int, default=8, metavar="N", help="tabs open at once, each a process (default: 8)"
    )
    parser.add_argument("--json", action="store_true", help="print the address as a JSON object")
    options = parser.with_workspace().parse_args(argv)
    serve = function("dlkit.web.command:serve")
    return serve(
        locate(options.workspace), port=options.port, tabs=options.tabs, open_browser=options.open, as_json=options.json
    )
