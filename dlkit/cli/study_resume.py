"""``dlkit study resume S``: go on where it stopped, or was cut short."""

from __future__ import annotations

from dlkit.cli.study_choice import chosen_study, study_parser
from dlkit.cli.study_watch import watch
from dlkit.present.numbers import counted
from dlkit.present.output import print_json, print_result, say
from dlkit.studies.control import go_on
from dlkit.studies.document import summary
from dlkit.studies.results import Look
from dlkit.studies.waking import wake


def main(argv: list[str]) -> int:
    parser = study_parser(
        "resume",
        "Go on with a study: nothing that has ended again, what was stopped or cut short from its checkpoint.",
    )
    parser.add_argument("--failed", action="store_true", help="try the trials that failed again, too")
    parser.add_argument(
        "--trial", type=int, action="append", metavar="N", help="of those that were stopped or failed this one alone"
    )
    parser.add_argument("--detach", action="store_true", help="do not stay and watch")
    options = parser.with_json().parse_args(argv)
    study = chosen_study(options)
    look = Look(study)
    look.results()
    again = go_on(study, look.state, by="dlkit study resume", failed=options.failed, trials=options.trial, say=say)
    wake(study)
    if not options.detach:
        if again and not options.json:
            say(f"{study.id}: {counted(again, 'trial')} from where it was")
        return watch(study, as_json=options.json)
    if options.json:
        print_json(summary(look.results()))
    else:
        print_result(study.id)
    return 0
