"""``dlkit stop RUN``: end a running job after its step, checkpoint written."""

from __future__ import annotations

from dlkit.cli import control
from dlkit.cli.choice import chosen_run
from dlkit.cli.control import answered, control_parser, how_it_ended, perform, tell
from dlkit.errors import RunError
from dlkit.events import Finished
from dlkit.present.output import print_json, print_result


def main(argv: list[str]) -> int:
    parser = control_parser("stop", "End a running job: it finishes its step and writes a checkpoint first.")
    parser.add_argument("--wait", action="store_true", help="until it has ended; fails if it ends otherwise")
    parser.add_argument("--dry-run", action="store_true", help="say what would be stopped, and stop nothing")
    options = parser.parse_args(argv)
    run = chosen_run(options)
    if options.dry_run:
        control.could(run, "stop", options=options)
        return 0
    if not options.wait:
        perform(run, "stop", options=options)
        return 0
    request, answer = answered(run, "stop", options=options)
    if not options.json:
        tell(request, answer)
    end = request.wait_for_end()
    document = {**control.document(request, answer), "state": end.status if isinstance(end, Finished) else end.state}
    if not (isinstance(end, Finished) and end.status != "failed"):
        raise RunError(how_it_ended(run, end)).knowing(document)
    if options.json:
        print_json(document)
    else:
        print_result(how_it_ended(run, end))
    return 0
