"""``dlkit study stop S``: start no more, stop what runs; everything can go on later."""

from __future__ import annotations

import time

from dlkit.cli.choice import with_reason
from dlkit.cli.control import tell_plan
from dlkit.cli.parser import duration
from dlkit.cli.study_choice import chosen_study, study_parser
from dlkit.jobs.follow import state_now
from dlkit.present.output import print_json, print_result, say
from dlkit.runs.commands import checked_reason, somebody
from dlkit.runs.folder import RunFolder
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
    parser.add_argument("--dry-run", action="store_true", help="say which trials would be stopped, and stop none")
    with_reason(parser)
    options = parser.with_json().parse_args(argv)
    study = chosen_study(options)
    look = Look(study)
    if options.dry_run:
        runs = [RunFolder(study.path.parent.parent / "runs" / trial.run) for trial in look.state.trials.values()]
        states = {run: state_now(run) for run in runs}
        going = {run: state for run, state in states.items() if state in ("queued", "running", "paused")}
        tell_plan(going, "stop", as_json=options.json)
        return 0
    why = f": {checked_reason(options.reason)}" if options.reason else ""
    stop(look, by=f"{somebody()}{why} (dlkit study stop)")
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
