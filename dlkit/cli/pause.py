"""``dlkit pause RUN``: have a running job wait. It keeps its memory and its device."""

from __future__ import annotations

from dlkit.cli.choice import chosen_run
from dlkit.cli.control import control_parser, perform


def main(argv: list[str]) -> int:
    text = "Have a running job wait after its step. It keeps its memory and its device; dlkit unpause RUN goes on."
    options = control_parser("pause", text).parse_args(argv)
    perform(chosen_run(options), "pause", options=options)
    return 0
