"""Where a run comes from and what branched off from it, as ``dlkit show`` says it."""

from __future__ import annotations

from dlkit.monitor.family import Member, family
from dlkit.present.numbers import number
from dlkit.present.runs import BRANCH, change
from dlkit.runs.folder import RunFolder
from dlkit.runs.index import list_runs
from dlkit.runs.run_record import RunRecord
from dlkit.steering import one_line


def origin(record: RunRecord) -> str:
    """Of a fork: where it began, and what is otherwise since."""
    found = record.get("forked_from")
    if not found:
        return ""
    changed = [change(key, pair) for key, pair in found.get("changes", {}).items()]
    return f"from {found.get('id')} at step {found.get('step')}; {', '.join(changed) or 'nothing changed'}"


def family_tree(run: RunFolder, record: RunRecord) -> str:
    """Where a fork comes from, and what branched off: the oldest first, each below what it left."""
    runs = list_runs(run.path.parent.parent) if run.path.parent.name == "runs" else []
    members = family(run.id, record, runs)
    return "\n".join(["family", *(f"  {one_line(_member(member))}" for member in members)]) if members else ""


def _member(member: Member) -> str:
    run = member.run
    left = f"{BRANCH} @{member.step} " if member.step is not None else ""
    best = f", {run.metric} {number(run.best)}" if run is not None and run.best is not None else ""
    state = run.state if run is not None else "this run" if member.own else "gone"
    name = f" {run.name!r}" if run is not None and run.name else ""
    return f"{'  ' * member.depth}{left}{member.id}{name}: {state}{best}{'  ← this run' if member.own and run else ''}"
