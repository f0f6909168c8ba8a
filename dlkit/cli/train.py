"""``dlkit train TASK …``: train, here or in a worker, now or when a device is free."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from dlkit.catalog import Catalog
from dlkit.cli.context import make_context
from dlkit.cli.exit_codes import EXIT
from dlkit.cli.flags import Words, help_text, layers_of, split_words
from dlkit.cli.handover import hand_over, look_on, submission
from dlkit.config import Resolved, resolve
from dlkit.config_file import to_toml
from dlkit.errors import UsageError, nearest
from dlkit.present.outcome import result
from dlkit.present.output import say
from dlkit.runs.workspace import locate

if TYPE_CHECKING:
    from dlkit.engine.start import Attempt

BELL_SECONDS = 10.0
"""A run that took longer than this tells the terminal that it has ended: somebody may have looked away."""

_USAGE = """usage: dlkit train TASK [OPTION VALUE …]

TASK is one of: {tasks}
dlkit train TASK --help shows the options of a task's components."""


def main(argv: list[str]) -> int:
    words = split_words(argv)
    catalog = Catalog.load_everything()
    tasks = [spec.name for spec in catalog.specs("task")]
    if not words.positional:
        if "help" in words.switches:
            print(_USAGE.format(tasks=", ".join(tasks)))
            return 0
        raise UsageError(f"which task? There are: {', '.join(tasks)}")
    task, *extra = words.positional
    if extra:
        raise UsageError(f"unexpected {extra[0]!r} after the task: {nearest(extra[0], ['--' + t for t in ('help',)])}")
    resolved = resolve(catalog, task, layers_of(catalog, task, words))
    if "help" in words.switches:
        print(help_text(catalog, resolved))
        return 0
    if "print-config" in words.switches:
        print(to_toml(resolved, origins=True), end="")
        return 0
    return _train(catalog, resolved, words)


def _train(catalog: Catalog, resolved: Resolved, words: Words) -> int:
    workspace = locate(words.values.get("workspace"))
    offline, as_json = "offline" in words.switches, "json" in words.switches
    detached, queued = "detach" in words.switches, "queue" in words.switches
    if detached and queued:
        raise UsageError("give either --detach (start now) or --queue (start when a device is free), not both")
    given = submission(
        workspace,
        queued=queued,
        priority=words.values.get("priority"),
        after=words.values.get("after", "").split(),
        cpu_slots=words.values.get("cpu-slots"),
        offline=offline,
    )
    name = words.values.get("name", "")
    from dlkit.jobs.foreground import needs_worker

    if detached or queued or needs_worker(resolved):
        from dlkit.jobs.submit import submit

        if not (detached or queued):  # what takes torch to know is said before there is a run
            from dlkit.engine.build import trainer_class

            trainer_class(catalog, resolved)
        run = submit(catalog, resolved, workspace, given, name=name)
        if detached or queued:
            return hand_over(run, queued=queued, as_json=as_json)
        return look_on(run, as_json=as_json, quiet="quiet" in words.switches)

    from dlkit.engine.start import start

    attempt = start(catalog, resolved, workspace, make_context(catalog, workspace, offline), name=name)
    return go(attempt, as_json=as_json, quiet="quiet" in words.switches)


def go(attempt: Attempt, *, as_json: bool, quiet: bool) -> int:
    """Consume an attempt's events, show them, and say how it ended and what to type next."""
    from dlkit.cli.bell import tell_ended
    from dlkit.cli.progress import make_display
    from dlkit.engine.signals import StopSignals
    from dlkit.jobs.foreground import train_here

    display = make_display(attempt.run, as_json=as_json, quiet=quiet)
    signals = StopSignals(lambda reason: say(f"\n{reason}: stopping after this step (again: at once)"))
    began = time.monotonic()
    try:
        for event in train_here(attempt, signals, say=lambda text: None if quiet else say(text)):
            display.show(event)
    finally:
        display.close()
    finished = display.finished
    assert finished is not None
    if finished.traceback and not quiet:
        say(finished.traceback)
    if not as_json:
        print(result(attempt.run, finished, attempt.job.resolved.task.metric))
    if time.monotonic() - began > BELL_SECONDS and not quiet:
        tell_ended(f"{attempt.run.id}: {finished.status}")
    return EXIT[finished.status]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
