"""``dlkit reproduce RUN``: train a run again from its record, and prove it equal or say what differs first."""

from __future__ import annotations

from pathlib import Path

from dlkit.catalog import Catalog
from dlkit.cli.choice import chosen_run, run_parser
from dlkit.errors import RunError
from dlkit.present.output import print_json, print_result, say
from dlkit.present.reproduction import verdict
from dlkit.runs.folder import RunFolder
from dlkit.runs.reproductions import Reproduction
from dlkit.runs.workspace import locate


def main(argv: list[str]) -> int:
    parser = run_parser(
        "reproduce",
        "Train a run again from its record, in a folder of its own, and compare every value and the last weights. The "
        "exit code is 0 if all are equal, 1 if one differs. What came of it is on the run's record.",
    )
    parser.add_argument("--from", dest="begin", metavar="C", default="", help="from this checkpoint on: a spot check")
    parser.add_argument("--until", type=int, metavar="STEP", help="no further than this (default: its last checkpoint)")
    parser.add_argument("--threads", type=int, metavar="N", help="with another number of CPU threads than it had")
    parser.add_argument("--quiet", action="store_true", help="nothing on stderr but what goes wrong")
    options = parser.with_json().parse_args(argv)
    run = chosen_run(options)
    from dlkit.jobs.reproducing import plan_again

    planned = plan_again(run, begin=options.begin, until=options.until, threads=options.threads)
    inside = run.path.parent.parent if run.path.parent.name == "runs" else locate(options.workspace)
    quiet = options.quiet or options.json
    if not quiet:
        say(f"{run.id}: step {planned.first} to {planned.until} once more")
    found = _train(planned, inside, quiet=quiet)
    if options.json:
        print_json({"reproduced": run.id, **found._asdict()})
    else:
        print_result(f"{run.id}: {verdict(found)}")
    return 0 if found.equal else RunError.exit_code


def _train(planned: object, workspace: Path, *, quiet: bool) -> Reproduction:
    from dlkit.cli.progress import make_display
    from dlkit.data.context import silent
    from dlkit.engine.signals import StopSignals
    from dlkit.jobs.reproducing import Plan, again

    assert isinstance(planned, Plan)
    display = make_display(RunFolder(planned.run.path), as_json=False, quiet=quiet)
    stream = again(Catalog.load_everything(), planned, workspace, signals=StopSignals(), say=silent if quiet else say)
    try:
        while True:
            display.show(next(stream))
    except StopIteration as ended:
        found: Reproduction = ended.value
        return found
    finally:
        display.close()
