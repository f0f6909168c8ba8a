"""``dlkit wait RUN …``: until runs have ended, wherever they are trained; for scripts."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Mapping, Sequence

from dlkit.cli.choice import RUN_HELP
from dlkit.cli.exit_codes import EXIT
from dlkit.cli.parser import Parser, duration
from dlkit.cli.watch import why_queued
from dlkit.errors import RunError
from dlkit.interrupt import Interrupts
from dlkit.jobs.follow import LOST, state_now
from dlkit.present import numbers
from dlkit.present.output import print_json, print_result, say
from dlkit.runs.finding import find_run
from dlkit.runs.folder import ENDED, RunFolder, Summary, summarise, told
from dlkit.runs.workspace import locate

INTERVAL = 0.2


def main(argv: list[str]) -> int:
    options = _parser().parse_args(argv)
    workspace = locate(options.workspace)
    runs = list(dict.fromkeys(find_run(workspace, reference) for reference in options.runs))
    ended: list[Summary] = []
    with Interrupts(signal.SIGINT, insistent=True) as interrupts:
        for summary in _as_they_end(runs, interrupts, options.timeout):
            ended.append(summary)
            if not options.json:
                print_result(_line(summary), flush=True)
            if options.any:
                break
    known = {run.id: run for run in runs}
    document = {"runs": [told(summary, known[summary.id]) for summary in ended]}
    if options.timeout is not None and not (options.any and ended):
        _check_time(runs, ended, options.timeout, document)
    if options.json:
        print_json(document)
    return _exit_code(ended)


def _parser() -> Parser:
    parser = Parser(
        "wait",
        "Wait until runs have ended, wherever they are trained. The exit code is 0 if all were completed, 1 if one "
        "failed, was interrupted or has not ended in time, 130 if one was stopped.",
    )
    parser.add_argument("runs", metavar="RUN", nargs="+", help=RUN_HELP)
    parser.add_argument("--any", action="store_true", help="only until the first of them has ended")
    parser.add_argument(
        "--timeout", type=duration, metavar="SECONDS", help="not longer than this, or 9m (default: for ever)"
    )
    return parser.with_workspace().with_json()


def _as_they_end(runs: Sequence[RunFolder], interrupts: Interrupts, timeout: float | None) -> Iterator[Summary]:
    """Each run when it has ended, until the time is up."""
    deadline = time.monotonic() + timeout if timeout is not None else float("inf")
    waiting = list(runs)
    _say_what_waits(waiting)
    while waiting:
        for run in list(waiting):
            if (state := state_now(run)) in (*ENDED, *LOST):
                waiting.remove(run)
                yield Summary(run.id, state=state) if state == "removed" else summarise(run)._replace(state=state)
        left = deadline - time.monotonic()
        if not waiting or left <= 0:
            return
        interrupts.wait(min(INTERVAL, left))
        if interrupts.take():
            raise KeyboardInterrupt


def _line(run: Summary) -> str:
    reason = f" ({run.reason})" if run.reason else ""
    best = f", best {run.metric} {numbers.number(run.best)}" if run.best is not None else ""
    spent = f", {run.step} steps in {numbers.duration(run.seconds)}" if run.seconds else ""
    return f"{run.id}: {run.state}{reason}{spent}{best}"


def _say_what_waits(runs: Sequence[RunFolder]) -> None:
    """What others must act for (a scheduler, whoever paused it) is said at once: the wait may be for ever."""
    for run in runs:
        state = state_now(run)
        reason = why_queued(run) if state in ("queued", "foreign") else ""
        if state != "running" and state not in (*ENDED, *LOST):
            say(f"{run.id}: {state}{f': {reason}' if reason else ''}")


def _check_time(
    runs: Sequence[RunFolder], ended: Sequence[Summary], timeout: float, document: Mapping[str, object]
) -> None:
    """RunError names what has not ended in time."""
    known = {summary.id for summary in ended}
    late = [f"{run.id} ({state_now(run)})" for run in runs if run.id not in known]
    if late:
        raise RunError(f"not ended within {timeout:g} s: {', '.join(late)}").knowing(document)


def _exit_code(ended: Sequence[Summary]) -> int:
    codes = {EXIT.get(summary.state, 1) for summary in ended}
    return 1 if 1 in codes else max(codes, default=0)
