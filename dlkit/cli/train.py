"""``dlkit train TASK …``: train in the foreground."""

from __future__ import annotations

import os
import shlex
import sys
from typing import TYPE_CHECKING

from dlkit.catalog import Catalog
from dlkit.cli.common import duration, number, say
from dlkit.cli.context import make_context
from dlkit.cli.flags import Words, help_text, layers_of, split_words
from dlkit.config import Resolved, resolve
from dlkit.config_file import to_toml
from dlkit.errors import STOPPED, UsageError, nearest
from dlkit.events import Finished
from dlkit.runs.folder import RunFolder
from dlkit.runs.workspace import locate

if TYPE_CHECKING:
    from dlkit.engine.start import Attempt

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
    from dlkit.engine.start import start

    workspace = locate(words.values.get("workspace"))
    context = make_context(catalog, workspace, "offline" in words.switches)
    attempt = start(catalog, resolved, workspace, context, name=words.values.get("name", ""))
    return go(attempt, as_json="json" in words.switches, quiet="quiet" in words.switches)


def go(attempt: Attempt, *, as_json: bool, quiet: bool) -> int:
    """Consume an attempt's events, show them, and say how it ended and what to type next."""
    from dlkit.cli.progress import make_display
    from dlkit.engine.signals import StopSignals

    display = make_display(attempt.run, as_json=as_json, quiet=quiet)
    signals = StopSignals(lambda reason: say(f"\n{reason}: stopping after this step (again: at once)"))
    try:
        for event in attempt.events(signals):
            display.show(event)
    finally:
        display.close()
    finished = display.finished
    assert finished is not None
    if finished.traceback and not quiet:
        say(finished.traceback)
    if not as_json:
        print(result(attempt.run, finished, attempt.job.resolved))
    return {"completed": 0, "failed": 1, "stopped": STOPPED}[finished.status]


def result(run: RunFolder, finished: Finished, resolved: Resolved) -> str:
    """How a run ended, and what to type next."""
    spec = resolved.task
    reason = f" ({finished.reason})" if finished.reason else ""
    took = f"{finished.steps} steps in {duration(finished.seconds)}, {duration(finished.train_seconds)} of it training"
    lines = [f"{run.id}: {finished.status}{reason}, {took}"]
    main_metrics = {n: v for n, v in finished.metrics.items() if n.startswith("val/") and n.count("/") == 1}
    if spec.metric in main_metrics:
        lines.append(f"best {spec.metric} {number(main_metrics.pop(spec.metric))}")
        lines += [f"     {name} {number(value)}" for name, value in main_metrics.items()]
    return "\n".join([*lines, "", *_next_steps(run, finished)])


def _next_steps(run: RunFolder, finished: Finished) -> list[str]:
    """Commands to type next, as this one was typed: through ``uv run`` or not, in the same workspace."""
    tool = "uv run dlkit" if "UV_RUN_RECURSION_DEPTH" in os.environ else "dlkit"
    workspace = run.path.parent.parent
    where = "" if workspace.resolve() == locate().resolve() else f" --workspace {shlex.quote(str(workspace))}"
    after = ("show last --samples", "evaluate last", "predict last INPUT")
    words = after if finished.status == "completed" else ("resume last", "show last")
    return ["next:", *(f"  {tool} {word}{where}" for word in words)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
