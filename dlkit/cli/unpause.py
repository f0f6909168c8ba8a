"""``dlkit unpause RUN``: have a paused job go on."""

from __future__ import annotations

from dlkit.cli.choice import chosen_run
from dlkit.cli.control import control_parser, perform


def main(argv: list[str]) -> int:
    options = control_parser("unpause", "Have a paused job go on where it waits.").parse_args(argv)
    perform(chosen_run(options), "unpause", options=options)
    return 0
