"""``dlkit ask RUN sample|checkpoint``: have a running job do now what it does now and then."""

from __future__ import annotations

from dlkit.cli.choice import chosen_run
from dlkit.cli.control import control_parser, perform


def main(argv: list[str]) -> int:
    parser = control_parser("ask", "Have a running job make samples or a checkpoint now. Its weights do not change.")
    parser.add_argument("what", choices=("sample", "checkpoint"))
    options = parser.parse_args(argv)
    perform(chosen_run(options), options.what, options=options)
    return 0
