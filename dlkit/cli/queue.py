"""``dlkit queue list | run | cancel | priority | settings``: who waits for a device, and why."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path

from dlkit.cli.choice import RUN_HELP
from dlkit.cli.parser import Parser, asks_for_help
from dlkit.cli.queue_settings import main as settings
from dlkit.errors import RunError, UsageError, nearest, refused
from dlkit.interrupt import Interrupts
from dlkit.present.numbers import duration
from dlkit.present.output import print_json, print_result, say
from dlkit.present.table import table
from dlkit.runs.finding import find_run
from dlkit.runs.workspace import locate

_USAGE = """usage: dlkit queue list | run | cancel RUN … | priority RUN N|urgent | settings

  list      what runs and what waits, in the order in which it will start, and why
  run       start jobs from this terminal until nothing is left to start
  cancel    take jobs out of the queue
  priority  a waiting job's: a number, or urgent: then the least important job gives way to it at once
  settings  CPU slots, how many devices may be held, how long a turn is

Each takes --on NAME: the queue of that remote (dlkit remote list).

dlkit train TASK … --queue puts a job in; a scheduler is started when one is needed, and ends when it is idle."""


_LOOK_SECONDS = 0.5
"""Between two looks whether another scheduler has ended."""


def main(argv: list[str]) -> int:
    if not argv or argv[0] in ("-h", "--help"):
        print_result(_USAGE)
        return 0
    if argv[0] not in ACTIONS and asks_for_help(argv):
        print_result(_USAGE)
        say(f"note: no dlkit queue {argv[0]!r}: {nearest(argv[0], ACTIONS)}")
        return 0
    if argv[0] not in ACTIONS:
        raise UsageError(f"no dlkit queue {argv[0]!r}: {nearest(argv[0], ACTIONS)}")
    return ACTIONS[argv[0]](argv[1:])


def _list(argv: list[str]) -> int:
    from dlkit.jobs.queue import listing, scheduler
    from dlkit.jobs.shares import cpu_slots

    parser = Parser("queue list", "What runs and what waits, in the order in which it will start, and why.")
    options = parser.with_workspace().with_json().parse_args(argv)
    workspace = locate(options.workspace)
    if options.json:
        print_json(_document(workspace))
        return 0
    entries, process = listing(workspace), scheduler(workspace)
    if entries:
        rows = [(e.id, e.state, e.importance, _ago(e.since), e.name) for e in entries]
        head, *lines = table(("run", "state", "priority", "since", "name"), rows).splitlines()
        print_result("\n".join([head, *(f"{line}\n    {e.why}" for line, e in zip(lines, entries, strict=True))]))
    else:
        say(f"nothing runs or waits in {workspace}")
    waiting = any(entry.state == "queued" for entry in entries)
    if process is not None:
        say(f"scheduler: process {process}, {cpu_slots(workspace)} CPU slot(s)")
    elif waiting:
        say("no scheduler is running: dlkit queue run starts what can be started")
    return 0


def _document(workspace: Path) -> dict[str, object]:
    """The queue for programs."""
    from dlkit.jobs.queue import listing, scheduler
    from dlkit.jobs.shares import cpu_slots

    jobs = [
        {"run": fields.pop("id"), "path": str((workspace / "runs" / entry.id).absolute()), **fields}
        for entry in listing(workspace)
        for fields in [entry._asdict()]
    ]
    return {
        "scheduler": scheduler(workspace),
        "cpu_slots": cpu_slots(workspace),
        "jobs": jobs,
        "devices": _devices(),
    }


def _devices() -> list[dict[str, object]]:
    from dlkit.jobs.allocate import machine_now

    machine = machine_now(1)
    claims = [{**claim._asdict(), "devices": list(claim.devices)} for claim in machine.claims]
    devices = [("cpu", "CPU"), *((gpu.uuid, gpu.name) for gpu in machine.gpus)]
    return [
        {"device": device, "name": name, "claims": [claim for claim in claims if device in claim["devices"]]}
        for device, name in devices
    ]


def _ago(since: float) -> str:
    return duration(max(0.0, time.time() - since)) if since > 0 else ""


def _run(argv: list[str]) -> int:
    from dlkit.jobs.shares import set_cpu_slots

    parser = Parser("queue run", "Start jobs from this terminal until nothing is left to start; jobs outlive it.")
    parser.add_argument("--cpu-slots", type=int, metavar="N", help="how many jobs may share the CPU, from now on")
    options = parser.with_workspace().with_json().parse_args(argv)
    workspace = locate(options.workspace)
    if options.cpu_slots is not None:
        set_cpu_slots(workspace, options.cpu_slots)
    if not workspace.is_dir():
        raise UsageError(f"no workspace {workspace}: dlkit train TASK --queue makes one")
    slots = f"; it takes over {options.cpu_slots} CPU slot(s)" if options.cpu_slots is not None else ""
    with Interrupts(signal.SIGINT, insistent=True) as interrupts:
        _serve(workspace, interrupts, slots)
    if options.json:  # what is left
        print_json(_document(workspace))
    return 0


def _serve(workspace: Path, interrupts: Interrupts, slots: str) -> None:
    """Until nothing is left to start, whoever starts it: should the other scheduler die, this one takes its place."""
    from dlkit.jobs.queue import scheduler
    from dlkit.jobs.scheduler import Scheduler

    other: int | None = None
    while True:
        try:
            return Scheduler(workspace, say, interrupts).serve()
        except KeyboardInterrupt:
            return say("\nscheduler ended; what it started goes on, what waits waits (dlkit queue run)")
        except BlockingIOError:
            process = scheduler(workspace)
        except OSError as error:
            raise RunError(f"no scheduler can run in {workspace}: {refused(error)}") from error
        if process != other and process is not None:
            other = process
            say(f"a scheduler is running already (process {process}){slots}; this waits until it ends")
        interrupts.wait(_LOOK_SECONDS)
        if interrupts.take():
            return say("\nwaits no longer; the scheduler goes on")


def _cancel(argv: list[str]) -> int:
    from dlkit.cli.choice import with_reason
    from dlkit.cli.control import tell_plan
    from dlkit.jobs.follow import state_now
    from dlkit.jobs.queue import cancel

    parser = Parser("queue cancel", "Take jobs out of the queue; they end as stopped, and can be resumed.")
    parser.add_argument("runs", metavar="RUN", nargs="+", help=RUN_HELP)
    parser.add_argument("--dry-run", action="store_true", help="say what would be taken out, and take out nothing")
    with_reason(parser)
    options = parser.with_workspace().with_json().parse_args(argv)
    workspace: Path = locate(options.workspace)
    runs = [find_run(workspace, reference) for reference in options.runs]
    if options.dry_run:
        states = {run: state_now(run) for run in runs}
        for run, state in states.items():
            if state not in ("queued", "foreign"):
                raise RunError(f"{run.id} does not wait in the queue: it is {state}")
        tell_plan(states, "cancel", as_json=options.json)
        return 0
    done = []
    for run in runs:
        cancel(run, options.reason)
        done.append(run.id)
        if not options.json:
            print_result(f"{run.id}: cancelled")
    if options.json:
        print_json({"cancelled": done})
    return 0


def _priority(argv: list[str]) -> int:
    from dlkit.jobs.queue import reprioritise, wake, why

    parser = Parser("queue priority", "Say how important a waiting job is: jobs of a higher number start first.")
    parser.add_argument("run", metavar="RUN", help=RUN_HELP)
    parser.add_argument(
        "level",
        metavar="N|urgent",
        help="urgent: at once; the least important job gives way, and goes on after it",
    )
    options = parser.with_workspace().with_json().parse_args(argv)
    workspace = locate(options.workspace)
    run, urgent = find_run(workspace, options.run), options.level == "urgent"
    level = reprioritise(run, urgent=urgent, **({} if urgent else {"to": _level(options.level)}))
    wake(workspace)
    if options.json:
        print_json({"run": run.id, "priority": level, "urgent": urgent})
    else:
        reason = why(workspace, run.id)
        print_result(f"{run.id}: {'urgent' if urgent else f'priority {level}'}{f' ({reason})' if reason else ''}")
    return 0


def _level(text: str) -> int:
    try:
        level = int(text)
    except ValueError as error:
        raise UsageError(f"priority {text!r}: must be a whole number, or urgent") from error
    if not -(1 << 31) <= level <= 1 << 31:
        raise UsageError(f"priority {level}: must be within ±{1 << 31}")
    return level


ACTIONS: dict[str, Callable[[list[str]], int]] = {
    "list": _list,
    "run": _run,
    "cancel": _cancel,
    "priority": _priority,
    "settings": settings,
}
