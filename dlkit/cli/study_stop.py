"""``dlkit study stop S``: start no more, stop what runs; everything can go on later."""

from __future__ import annotations

import time

from dlkit.cli.parser import duration
from dlkit.cli.study_choice import chosen_study, study_parser
from dlkit.present.output import print_json, print_result, say
from dlkit.studies.control import stop
from dlkit.studies.document import summary
from dlkit.studies.results import Look
from dlkit.studies.waking import wake

LOOK_SECONDS = 0.1
PATIENCE = 60.0


def main(argv: list[str]) -> int:
    parser = study_parser("stop", "Start no more trials, and stop those that run; dlkit study resume S goes on.")
    parser.add_argument("--timeout", type=duration, default=PATIENCE, metavar="SECONDS",
                        help=f"wait so long for the trials to have stopped ({PATIENCE:g})")  # fmt: skip
    options = parser.with_json().parse_args(argv)
    study = chosen_study(options)
    look = Look(study)
    stop(look, by="dlkit study stop")
    deadline = time.monotonic() + options.timeout
    while (found := look.results()).state != "stopped" or wake(study, look.state):
        if time.monotonic() >= deadline:
            say(f"{study.id}: its trials have not all stopped within {options.timeout:g} s; they will")
            break
        time.sleep(LOOK_SECONDS)
    if options.json:
        print_json(summary(found))
    else:
        print_result(f"{study.id}: {found.state}, {found.ended} of {found.trials} trials have ended")
    return 0
