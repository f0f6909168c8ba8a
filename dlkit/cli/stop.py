"""``dlkit stop RUN``: end a running job after its step, checkpoint written."""

from __future__ import annotations

from dlkit.cli.choice import chosen_run
from dlkit.cli.control import control_parser, how_it_ended, perform
from dlkit.errors import RunError
from dlkit.events import Finished
from dlkit.present.output import print_result


def main(argv: list[str]) -> int:
    parser = control_parser("stop", "End a running job: it finishes its step and writes a checkpoint first.")
    parser.add_argument("--wait", action="store_true", help="until it has ended; fails if it ends otherwise")
    options = parser.parse_args(argv)
    run = chosen_run(options)
    request = perform(run, "stop", options=options)
    if not options.wait:
        return 0
    end = request.wait_for_end()
    if not (isinstance(end, Finished) and end.status != "failed"):
        raise RunError(how_it_ended(run, end))
    if not options.json:
        print_result(how_it_ended(run, end))
    return 0
