"""How a run ended, and what to type next."""

from __future__ import annotations

from dlkit.events import Finished
from dlkit.present.commands import to_type
from dlkit.present.numbers import duration, number
from dlkit.runs.checkpoints import complete
from dlkit.runs.folder import RunFolder, summarise
from dlkit.runs.index import newest_runs


def result(run: RunFolder, finished: Finished, metric: str) -> str:
    """How a run ended. ``metric`` is its primary one."""
    reason = f" ({finished.reason})" if finished.reason else ""
    took = f"{finished.steps} steps in {duration(finished.seconds)}, {duration(finished.train_seconds)} of it training"
    lines = [f"{run.id}: {finished.status}{reason}, {took}"]
    main_metrics = {n: v for n, v in finished.metrics.items() if n.startswith("val/") and n.count("/") == 1}
    if metric in main_metrics:
        lines.append(f"best {metric} {number(main_metrics.pop(metric))}")
        lines += [f"     {name} {number(value)}" for name, value in main_metrics.items()]
    return "\n".join(lines)


def next_steps(run: RunFolder, finished: Finished, *, called: str = "") -> str:
    """What to type next, a line each.

    ``called`` is what to name the run in commands: ``last`` if that is true of it, else its id, unless it is given.
    """
    called = called or ("last" if _is_last(run) else run.id)
    after = (f"show {called} --samples", f"evaluate {called}", f"predict {called} INPUT")
    words = after if finished.status == "completed" else (f"resume {called}", f"show {called}")
    return "\n".join(["", "next:", *(f"  {to_type(run, word)}" for word in words)])


def _is_last(run: RunFolder) -> bool:
    """Whether it is the newest of its workspace: an older one that was resumed is not."""
    if run.path.parent.name != "runs":  # a copy, in no workspace
        return False
    newest, _ = newest_runs(run.path.parent.parent, limit=1)
    return [summary.id for summary in newest] == [run.id]


def unrecorded_end(run: RunFolder, state: str) -> str:
    """The end of a run whose log does not tell it; ``state`` as in ``dlkit.jobs.follow.Gone``."""
    if state == "removed":
        return f"{run.id}: removed"
    found = summarise(run)
    reason = f" ({found.reason})" if found.reason else ""
    if state != "interrupted":
        return f"{run.id}: {state}{reason}"
    kept = complete(run.path)
    last = f"last checkpoint: step {kept[-1].step}" if kept else "no checkpoint yet"
    return (
        f"{run.id}: interrupted{reason}: its worker died at step {found.step}; {last}; "
        f"{to_type(run, f'resume {run.id}')} goes on"
    )
