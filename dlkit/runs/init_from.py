"""The weights that a run starts from: what ``engine.init_from`` means, and how config.toml names them. No torch."""

from __future__ import annotations

from pathlib import Path

from dlkit.config import Resolved
from dlkit.errors import RunError, UsageError
from dlkit.runs.checkpoints import Checkpoint, choose, complete
from dlkit.runs.finding import find_run
from dlkit.runs.folder import ENDED, RunFolder, current_state

PINNED = 16
"""Digits of a SHA-256 that name weights."""


def initial_weights(resolved: Resolved, workspace: Path) -> Checkpoint | None:
    """The checkpoint that ``RUN``, ``RUN@best``, ``RUN@last``, ``RUN@STEP``, ``TASK@best`` or ``RUN@SHA256`` means.

    The last form (a prefix of the weights' hash) is what config.toml keeps, so that it can be used again.
    """
    if not resolved.engine.init_from:
        return None
    return named_checkpoint(resolved.engine.init_from, workspace, "engine.init_from")


def named_checkpoint(named: str, workspace: Path, option: str, usual: str = "best") -> Checkpoint:
    """What one of these forms means, its files whole; errors say by ``option`` who asked. ``usual``: which one a run
    alone means."""
    run, which = named_run(workspace, named)
    if _is_hash(which):
        found = next((c for c in complete(run.path) if c.sha256.startswith(which)), None)
        if found is None:
            raise UsageError(f"{option}: {run.id} has no checkpoint any more with the weights {which}")
    else:
        found = choose(run.path, which or usual)
    if problems := found.problems():
        raise RunError(f"{option}: {found.folder} cannot be used: {'; '.join(problems)}")
    return found


def pinned(resolved: Resolved, weights: Checkpoint) -> Resolved:
    """``init_from`` as the run's id and the hash of its weights: that stays true whatever becomes of the run."""
    run = weights.folder.parent.parent.name
    return resolved.with_engine(init_from=f"{run}@{weights.sha256[:PINNED]}")


def pinned_as_far_as_known(resolved: Resolved, workspace: Path) -> Resolved:
    """For a run that starts later: pinned if that other run has ended, else its id: it may find better weights yet."""
    if not resolved.engine.init_from:
        return resolved
    run, which = named_run(workspace, resolved.engine.init_from)
    # A worker looks from elsewhere, into this workspace: what is not in it is named by its whole path.
    inside = run.path.resolve().parent == (workspace / "runs").resolve()
    named = run.id if inside else str(run.path.absolute())
    if current_state(run, run.read()) in ENDED and not _is_hash(which):
        which = choose(run.path, which or "best").sha256[:PINNED]
    return resolved.with_engine(init_from=f"{named}@{which}" if which else named)


def named_run(workspace: Path, text: str) -> tuple[RunFolder, str]:
    """The run, and what stands behind the @: of ``TASK@best``, the best checkpoint of the best run."""
    reference, _, which = text.partition("@")
    try:
        return find_run(workspace, reference), which
    except UsageError:
        if which != "best":
            raise
        return find_run(workspace, text), which


def _is_hash(which: str) -> bool:
    return len(which) == PINNED  # no run has a step of sixteen digits
