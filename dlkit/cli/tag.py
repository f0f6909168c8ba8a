"""``dlkit tag RUN TAG …``: words by which runs are found again."""

from __future__ import annotations

from dlkit.cli.choice import chosen_run, run_parser
from dlkit.present.output import print_json, print_result
from dlkit.runs.labelling import tag
from dlkit.runs.labels import checked_tag, labels


def main(argv: list[str]) -> int:
    parser = run_parser(
        "tag", "Give a run tags, or take them away; without any, say which it has. The run may be going."
    )
    parser.add_argument("tags", metavar="TAG", nargs="*", help="a word: baseline, paper")
    parser.add_argument(
        "--remove", metavar="TAG", action="append", default=[], help="take this one away (may be repeated)"
    )
    options = parser.with_json().parse_args(argv)
    for word in (*options.tags, *options.remove):  # before the run is looked for
        checked_tag(word)
    run = chosen_run(options)
    found = tag(run, options.tags, options.remove) if options.tags or options.remove else labels(run.path)
    if options.json:
        print_json({"run": run.id, "tags": list(found.tags)})
    else:
        print_result(" ".join(found.tags) or f"{run.id} has no tags")
    return 0
