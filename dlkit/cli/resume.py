"""``dlkit resume RUN``: go on from the last checkpoint, exactly."""

from __future__ import annotations

from dlkit.catalog import Catalog
from dlkit.cli.choice import RUN_HELP, with_reason
from dlkit.cli.parser import Parser, duration
from dlkit.errors import UsageError
from dlkit.present.output import say
from dlkit.runs.commands import checked_reason
from dlkit.runs.finding import find_run
from dlkit.runs.labelling import give_reason
from dlkit.runs.workspace import locate

ORDERS = ("notify", "launcher", "nproc", "workers", "threads")
"""What is asked of the machine: of a foreign run it holds where it is said again (``runs.orders``)."""


def main(argv: list[str]) -> int:
    options = _parser().with_workspace().parse_args(argv)
    workspace = locate(options.workspace)
    run = find_run(workspace, options.run)
    checked_reason(options.reason)
    changes = {k: getattr(options, k) for k in ("epochs", "steps", "max_time") if getattr(options, k) is not None}
    if len(changes.keys() & {"epochs", "steps"}) == 2:
        raise UsageError("give either --epochs or --steps, not both")

    from dlkit.cli.launching import how_to, show
    from dlkit.config import Layer
    from dlkit.jobs import launch
    from dlkit.runs.orders import given_orders

    orders = {name: value for name in ORDERS if (value := getattr(options, name)) is not None}
    how = how_to(
        workspace,
        detach=options.detach,
        queue=options.queue,
        priority=options.priority,
        after=options.after,
        cpu_slots=None,
        offline=options.offline,
        urgent=options.urgent,
        at=options.at,
    )
    launched = launch.resume(
        Catalog.load_everything(),
        run,
        how,
        overrides=Layer("flag", {"engine": changes}) if changes else None,
        given=given_orders(orders),
        allow_inexact=options.allow_inexact,
        workspace=workspace,
        say=say,
    )
    give_reason(launched.run, "resumed", options.reason)
    return show(launched, as_json=options.json, quiet=options.quiet)


def _parser() -> Parser:
    parser = Parser("resume", "Go on with a run from its last checkpoint; the result is that of an uninterrupted run.")
    parser.add_argument("run", metavar="RUN", help=RUN_HELP)
    parser.add_argument("--epochs", type=int, metavar="N", help="train to N epochs in all: continues a completed run")
    parser.add_argument("--steps", type=int, metavar="N", help="train to N steps in all")
    parser.add_argument(
        "--max-time", type=duration, metavar="SECONDS", help="a new limit, or 9m, over all resumes together"
    )
    parser.add_argument("--allow-inexact", action="store_true", help="go on where bit-exactness cannot be had")
    parser.add_argument("--notify", metavar="URL", help="where to POST the finished event from now on")
    parser.add_argument("--launcher", metavar="NAME", help="what starts the job's processes from now on")
    parser.add_argument("--nproc", type=int, metavar="N", help="how many processes share every batch from now on")
    parser.add_argument("--workers", type=int, metavar="N", help="loader processes from now on")
    parser.add_argument("--threads", type=int, metavar="N", help="CPU threads of a step from now on")
    parser.add_argument("--offline", action="store_true", help="never use the network")
    parser.add_argument("--json", action="store_true", help="one JSON event a line on stdout")
    parser.add_argument("--quiet", action="store_true", help="nothing on stderr but what goes wrong, or is dropped")
    parser.add_argument("--detach", action="store_true", help="in a process of its own, which outlives this terminal")
    parser.add_argument("--queue", action="store_true", help="when a device is free")
    parser.add_argument("--urgent", action="store_true", help="with --queue: at once; another job gives way")
    parser.add_argument("--at", metavar="TIME", help="with --queue: not before 18:30, 2026-12-02T06:00, +2h")
    parser.add_argument("--priority", metavar="N", help="with --queue: jobs of a higher number start first")
    parser.add_argument(
        "--after", metavar="RUN", action="append", default=[], help="with --queue: when that is completed"
    )
    with_reason(parser)
    return parser
