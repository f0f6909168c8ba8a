"""``dlkit show RUN --profile``: the operators of the steps that a run has recorded."""

from __future__ import annotations

import shutil

from dlkit.errors import DlkitError, UsageError
from dlkit.present.commands import to_type
from dlkit.present.output import print_result, say
from dlkit.present.profile import by_self_time, head, operators
from dlkit.runs.folder import RunFolder
from dlkit.runs.opening import status
from dlkit.runs.profile import TRACE, read_profile

SHOWN = 40
"""Operators in the table: those after them take next to nothing; --json has all that are kept."""


def show_profile(run: RunFolder) -> int:
    """Its operators, the slowest first. UsageError: the run has recorded none."""
    found = read_profile(run)
    if found is None:
        again = to_type(run, "train TASK --profile 5")
        raise UsageError(f"{run.id} has no profile: it was trained without --profile N ({again} records 5 steps)")
    trace = _trace(run)
    last = [f"trace, for chrome://tracing or ui.perfetto.dev: {trace}"] if trace else []
    print_result("\n\n".join([head(found), operators(found, shutil.get_terminal_size().columns, SHOWN), *last]))
    return 0


def profile_document(run: RunFolder) -> dict[str, object] | None:
    """The same as JSON; None without a profile, or where it is damaged, which is said."""
    try:
        found = read_profile(run)
    except (DlkitError, OSError, ValueError) as error:  # what else is in the folder is shown
        say(str(error))
        return None
    if found is None:
        return None
    rows = [{**operator._asdict(), "share": share} for operator, share in by_self_time(found)]
    return {**found._asdict(), "operators": rows, "trace": _trace(run)}


def _trace(run: RunFolder) -> str:
    return str((run.path / TRACE).absolute()) if status(run.path, TRACE) is not None else ""
