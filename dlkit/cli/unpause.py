"""``dlkit unpause RUN``: have a paused job go on, or put one that gave its device back into the queue again."""

from __future__ import annotations

from argparse import Namespace

from dlkit.cli.choice import chosen_run
from dlkit.cli.control import control_parser, perform
from dlkit.jobs.queue import why
from dlkit.jobs.releasing import is_held, put_back
from dlkit.present.output import print_json, print_result
from dlkit.runs.folder import RunFolder, summarise


def main(argv: list[str]) -> int:
    text = "Have a paused job go on where it waits; one that gave its device back does so when a device is free."
    options = control_parser("unpause", text).parse_args(argv)
    run = chosen_run(options)
    if is_held(run):
        _put_back(run, options)
    else:
        perform(run, "unpause", options=options)
    return 0


def _put_back(run: RunFolder, options: Namespace) -> None:
    put_back(run)
    step = summarise(run).step
    if options.json:
        print_json({"run": run.id, "action": "unpause", "id": "", "obeyed": True, "step": step, "refused": ""})
        return
    reason = why(run.path.parent.parent, run.id)
    print_result(f"{run.id}: goes on from step {step} when a device is free{f' ({reason})' if reason else ''}")
