"""``dlkit pause RUN``: have a running job wait, with its memory and its device, or with ``--release`` without them."""

from __future__ import annotations

from argparse import Namespace

from dlkit.cli.choice import chosen_run
from dlkit.cli.control import control_parser, perform, refusing
from dlkit.errors import RunError
from dlkit.jobs.releasing import give_back
from dlkit.present.commands import to_type
from dlkit.present.output import print_json, print_result
from dlkit.runs.commands import checked_reason
from dlkit.runs.folder import RunFolder, summarise


def main(argv: list[str]) -> int:
    text = "Have a running job wait after its step. It keeps its memory and its device; dlkit unpause RUN goes on."
    parser = control_parser("pause", text)
    parser.add_argument(
        "--release",
        action="store_true",
        help="write a checkpoint, end the process, give the device back; unpause puts the job into the queue again",
    )
    options = parser.parse_args(argv)
    run = chosen_run(options)
    if options.release:
        _release(run, options)
    else:
        perform(run, "pause", options=options)
    return 0


def _release(run: RunFolder, options: Namespace) -> None:
    checked_reason(options.reason)
    with refusing(run):
        state = give_back(run, reason=options.reason, timeout=options.timeout)
    step = summarise(run).step
    if state != "queued":
        raise RunError(f"{run.id} did not wait: it is {state} at step {step}")
    if options.json:
        print_json({"run": run.id, "action": "release", "id": "", "obeyed": True, "step": step, "refused": ""})
    else:
        goes_on = to_type(run, f"unpause {run.id}")
        print_result(f"{run.id}: waits at step {step}, its device given back ({goes_on} puts it into the queue again)")
