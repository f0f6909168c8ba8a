"""``dlkit rename RUN TEXT``: give a run a name."""

from __future__ import annotations

from dlkit.cli.choice import chosen_run, run_parser, with_reason
from dlkit.present.output import print_json, say
from dlkit.runs.commands import checked_reason
from dlkit.runs.labelling import give_reason
from dlkit.runs.naming import checked_name, rename


def main(argv: list[str]) -> int:
    parser = run_parser("rename", "Give a run a name; its id and folder stay.")
    parser.add_argument("text", metavar="TEXT", help="the new name; empty: none")
    with_reason(parser)
    options = parser.with_json().parse_args(argv)
    name = checked_name(options.text)  # before the run is looked for
    checked_reason(options.reason)
    run = chosen_run(options)
    say(rename(run, name))
    give_reason(run, f"renamed to {name!r}" if name else "its name taken away", options.reason)
    if options.json:
        print_json({"run": run.id, "name": name})
    return 0
