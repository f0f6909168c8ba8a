"""``dlkit rename RUN TEXT``: give a run a name."""

from __future__ import annotations

from dlkit.cli.choice import chosen_run, run_parser
from dlkit.present.output import say
from dlkit.runs.naming import checked_name, rename


def main(argv: list[str]) -> int:
    parser = run_parser("rename", "Give a run a name; its id and folder stay.")
    parser.add_argument("text", metavar="TEXT", help="the new name; empty: none")
    options = parser.parse_args(argv)
    checked_name(options.text)  # before the run is looked for
    say(rename(chosen_run(options), options.text))
    return 0
