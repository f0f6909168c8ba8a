"""``dlkit resume RUN``: go on from the last checkpoint, exactly."""

from __future__ import annotations

from dlkit.catalog import Catalog
from dlkit.cli.common import Parser
from dlkit.cli.context import make_context
from dlkit.cli.handover import hand_over, look_on, submission
from dlkit.cli.train import go
from dlkit.config import Layer
from dlkit.errors import UsageError
from dlkit.runs.index import find_run
from dlkit.runs.stored import readable, stored_config
from dlkit.runs.workspace import locate


def main(argv: list[str]) -> int:
    parser = Parser("resume", "Go on with a run from its last checkpoint; the result is that of an uninterrupted run.")
    parser.add_argument("run", metavar="RUN", help="id, unique prefix, last, or folder")
    parser.add_argument("--epochs", type=int, metavar="N", help="train to N epochs in all: continues a completed run")
    parser.add_argument("--steps", type=int, metavar="N", help="train to N steps in all")
    parser.add_argument("--max-time", type=float, metavar="SECONDS", help="a new limit, over all resumes together")
    parser.add_argument("--allow-inexact", action="store_true", help="go on where bit-exactness cannot be had")
    parser.add_argument("--offline", action="store_true", help="never use the network")
    parser.add_argument("--json", action="store_true", help="one JSON event a line on stdout")
    parser.add_argument("--quiet", action="store_true", help="no progress on stderr")
    parser.add_argument("--detach", action="store_true", help="in a process of its own, which outlives this terminal")
    parser.add_argument("--queue", action="store_true", help="when a device is free")
    parser.add_argument("--priority", metavar="N", help="with --queue: jobs of a higher number start first")
    parser.add_argument(
        "--after", metavar="RUN", action="append", default=[], help="with --queue: when that is completed"
    )
    options = parser.with_workspace().parse_args(argv)
    workspace = locate(options.workspace)
    run = find_run(workspace, options.run)
    changes = {k: getattr(options, k) for k in ("epochs", "steps", "max_time") if getattr(options, k) is not None}
    if len(changes.keys() & {"epochs", "steps"}) == 2:
        raise UsageError("give either --epochs or --steps, not both")

    if options.detach and options.queue:
        raise UsageError("give either --detach (start now) or --queue (start when a device is free), not both")
    given = submission(
        workspace,
        queued=options.queue,
        priority=options.priority,
        after=options.after,
        cpu_slots=None,
        offline=options.offline,
    )
    from dlkit.jobs.foreground import needs_worker

    catalog = Catalog.load_everything()
    overrides = Layer("flag", {"engine": changes}) if changes else None
    in_worker = needs_worker(stored_config(catalog, run, readable(run), overrides))
    if options.detach or options.queue or in_worker:
        from dlkit.jobs.submit import resubmit

        resubmit(catalog, run, given, overrides=changes, allow_inexact=options.allow_inexact)
        if options.detach or options.queue:
            return hand_over(run, queued=options.queue, as_json=options.json)
        return look_on(run, as_json=options.json, quiet=options.quiet)

    from dlkit.engine.start import resume

    context = make_context(catalog, workspace, options.offline)
    attempt = resume(catalog, run, context, overrides=overrides, allow_inexact=options.allow_inexact)
    return go(attempt, as_json=options.json, quiet=options.quiet)
