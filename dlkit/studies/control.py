"""What may be asked of a study that is there: stop, go on, more seeds, away with it; each is put on its record."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dlkit.errors import RunError, UsageError
from dlkit.folders import remove_tree
from dlkit.present.numbers import counted
from dlkit.runs.folder import RunFolder
from dlkit.runs.removal import check_removable
from dlkit.studies import folder, log
from dlkit.studies.folder import StudyFolder
from dlkit.studies.results import Look, Results
from dlkit.studies.state import State

Say = Callable[[str], None]
AGAIN = ("stopped", "failed")
"""States of trials that can be taken up again."""


def stop(look: Look, by: str) -> None:
    """Start no more trials, and have those that run stop; RunError: it is finished."""
    if look.results().state == "finished":
        raise RunError(f"{look.study.id} is finished: there is nothing to stop")
    if not look.state.stopped:
        log.append(look.study.log, "stop", durable=True, by=by)


def go_on(
    study: StudyFolder,
    state: State,
    *,
    by: str,
    failed: bool = False,
    trials: Sequence[int] | None = None,
    say: Say = lambda text: None,
) -> int:
    """Put on record that it is to go on; how many trials are taken up again: those that were stopped, with ``failed``
    those too; or ``trials`` alone, of which UsageError names one that cannot."""
    wanted = AGAIN if failed or trials is not None else ("stopped",)
    again = [trial for trial in state.trials.values() if trial.state in wanted]
    if trials is not None:
        for number in trials:
            _check_again(state, number)
        again = [trial for trial in again if trial.number in trials]
    if not folder.is_own(study):
        say(f"{study.id} was not made in this workspace, or has been changed; it is this workspace's own from now on")
        folder.adopt(study)
    lines = [log.encode("reopened", {"trial": trial.number}) for trial in again]
    log.append_lines(study.log, [log.encode("resume", {"by": by}), *lines], durable=True)
    return len(again)


def _check_again(state: State, number: int) -> None:
    trial = state.trials.get(number)
    if trial is None:
        there = f"0 to {max(state.trials)}" if state.trials else "none yet"
        raise UsageError(f"there is no trial {number}: there are {there} (dlkit study show S --trials)")
    if trial.state not in AGAIN:
        raise UsageError(f"trial {number} is {trial.state}: only one that was stopped, or failed, can go on")


def more_seeds(look: Look, found: Results, count: int, top: int | None = None) -> tuple[list[bytes], str]:
    """Seeds that no setting has yet, so that all that have them share them: lines of the log, and what they mean."""
    used = {seed for seeds in look.state.seeds.values() for seed in seeds}
    first = max(used, default=-1) + 1
    seeds = list(range(first, first + count))
    if top is None:
        return [log.encode("seeds", {"seeds": seeds})], f"{counted(count, 'more seed')} for each setting"
    rows = [row for row in found.rows if row.mean is not None][:top]
    if not rows:
        raise UsageError(f"--top {top}: no setting has a result yet")
    chosen = [row.number for row in rows]
    return (
        [log.encode("seeds", {"seeds": seeds, "settings": chosen})],
        f"{counted(count, 'more seed')} for the best {counted(len(chosen), 'setting')}",
    )


def extend(look: Look, found: Results, lines: Sequence[bytes], *, trials: int, by: str, say: Say) -> None:
    """Put more trials on record, and that it is to go on."""
    seen = any(row.mean is not None for row in found.rows)
    extended = log.encode("extended", {"trials": trials, "after": seen})
    log.append_lines(look.study.log, [*lines, extended], durable=True)
    go_on(look.study, look.state, by=by, say=say)


def runs_made(study: StudyFolder) -> list[RunFolder]:
    """The runs that a study made and that are still there, each looked at whether it may go; RunError: one may not."""
    look = Look(study)
    look.results()
    made = [RunFolder(study.workspace / "runs" / trial.run) for trial in look.state.trials.values() if not trial.reused]
    there = [run for run in made if run.path.exists()]
    for run in there:
        check_removable(run)
    return there


def check_ended(study: StudyFolder) -> None:
    """RunError: it goes on."""
    if (process := folder.driver(study)) is not None:
        raise RunError(f"{study.id} is going on (process {process}); dlkit study stop {study.short} first")


def remove(study: StudyFolder) -> None:
    """Delete a study's folder; its runs stay."""
    hidden = study.path.with_name(f".{study.id}.removed")
    study.path.rename(hidden)
    remove_tree(hidden)
