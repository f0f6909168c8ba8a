"""Which run somebody means: what RUN may be, wherever a command, an option or a question takes one."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from dlkit.errors import UsageError
from dlkit.runs.folder import RunFolder, Summary
from dlkit.runs.index import list_runs, newest_runs, signatures
from dlkit.runs.outcomes import best

GIVE = "give an id, its unique beginning or end, a unique name or tag, last, last~N, TASK@best, or a folder"
SHOWN = 8
"""Runs that are named where several may be meant, the newest first."""
_LAST = re.compile(r"last(?:~(\d{1,9}))?")
_BEST = "@best"


def find_run(workspace: Path, reference: str) -> RunFolder:
    """The run that RUN means: ``GIVE`` says what that may be. UsageError names what there is.

    A folder comes first, then an id, a name, a tag, the beginning and the end of an id: what is earlier in this order
    is meant, and only where several are equally near, none is.
    """
    if not reference:  # a script's empty variable: every id begins with it, and the current folder may be a run
        raise UsageError(f"RUN is empty: {GIVE}").hinting(GIVE)
    if (folder := _as_folder(workspace, reference)) is not None:
        return RunFolder(folder)
    if found := _LAST.fullmatch(reference):
        return _last(workspace, int(found[1] or 0))
    ids = sorted(signatures(f"{workspace}/runs"), reverse=True)
    if reference in ids:
        return RunFolder(workspace / "runs" / reference)
    runs = list_runs(workspace)  # names are in summaries: 20 ms of a thousand, which a whole id need not wait for
    return RunFolder(workspace / "runs" / _meant(runs, reference, str(workspace), ids[:5]))


def among(runs: list[Summary], reference: str, where: str) -> str:
    """The id of the run that RUN means among these, newest first; errors as of ``find_run``, ``where`` names them."""
    if not reference:
        raise UsageError(f"RUN is empty: {GIVE}").hinting(GIVE)
    if found := _LAST.fullmatch(reference):
        back = int(found[1] or 0)
        if back >= len(runs):
            raise UsageError(f"{reference}: there are {len(runs)} runs in {where}")
        return runs[back].id
    # A whole id before names and beginnings, as in a workspace.
    if any(run.id == reference for run in runs):
        return reference
    return _meant(runs, reference, where, [run.id for run in runs[:5]])


def _meant(runs: list[Summary], reference: str, where: str, newest: list[str]) -> str:
    for matching in _ways(runs, reference):
        if len(matching) == 1:
            return matching[0].id
        if matching:
            several = ", ".join(f"{run.id} ({run.name})" if run.name else run.id for run in matching[:SHOWN])
            more = f" and {len(matching) - SHOWN} more" if len(matching) > SHOWN else ""
            raise UsageError(f"{reference!r} could be any of: {several}{more}")
    if reference.endswith(_BEST):
        return _best_of(where, runs, reference.removesuffix(_BEST))
    hint = f"{GIVE}; newest: {', '.join(newest) or 'none'}"
    raise UsageError(f"no run {reference!r} in {where}: {hint}").hinting(hint)


def _ways(runs: list[Summary], reference: str) -> Iterator[list[Summary]]:
    """Runs that it names in one way, then in another; newest first."""
    # A name before beginnings: who calls a run "2" means that one, though every id of this century begins so.
    yield [run for run in runs if run.name == reference]
    yield [run for run in runs if reference in run.tags.split()]  # below a name, which somebody gave to one run alone
    yield [run for run in runs if run.id.startswith(reference)]
    yield [run for run in runs if run.id.endswith(reference)]


def _last(workspace: Path, back: int) -> RunFolder:
    """The newest run, or so many before it; of a damaged one nobody knows when it was made: it sorts last."""
    newest, count = newest_runs(workspace, limit=back + 1)
    if not count:
        raise UsageError(f"there are no runs in {workspace}")
    if back >= count:
        raise UsageError(f"last~{back}: there are {count} runs in {workspace}, the oldest is last~{count - 1}")
    return RunFolder(workspace / "runs" / newest[back].id)


def _best_of(where: str, runs: list[Summary], task: str) -> str:
    """The run of a task whose best evaluation is the best."""
    measured = [run for run in runs if run.task == task and run.best is not None]
    number = best([run.best for run in measured], measured[0].direction) if measured else None
    if number is None:
        tasks = ", ".join(sorted({run.task for run in runs if run.best is not None})) or "none"
        raise UsageError(f"no run of task {task!r} in {where} has been evaluated; tasks with runs that have: {tasks}")
    return measured[number].id


def _as_folder(workspace: Path, reference: str) -> Path | None:
    """The run's folder that a text names as a path, if it does. One in the workspace need not have a run.json."""
    folder = Path(reference)
    try:
        if os.path.lexists(folder / "run.json"):
            # The last part stays: what is done to a run is never done through a link to it.
            return folder.resolve() if folder.name in ("", "..") else folder.parent.resolve() / folder.name
        inside = os.sep in reference and folder.is_dir() and folder.parent.samefile(workspace / "runs")
        return folder if inside else None
    except (OSError, ValueError, RuntimeError):  # longer than names may be; a zero byte; a link to itself
        return None
