"""The name that a person gives a run; its id and folder stay."""

from __future__ import annotations

from dlkit.errors import RunError, UsageError
from dlkit.runs.folder import RunFolder
from dlkit.runs.idle import check_idle
from dlkit.runs.lock import RunLock

LONGEST = 200
"""Characters of a name: lists show it in one line."""


def rename(run: RunFolder, text: str) -> str:
    """Name a run that nobody writes; returns what was done, in words. DlkitError says why it cannot be."""
    name = checked_name(text)
    try:
        check_idle(run, run.read())
        with RunLock(run.lock):  # run.json is read and written as a whole: two writers would lose each other's fields
            run.update(name=name)
    except BlockingIOError as error:
        raise RunError(f"{run.id} is running; stop it first") from error
    except (OSError, ValueError) as error:
        raise RunError(f"{run.id}: {error}") from error
    return f"{run.id} is now named {name!r}" if name else f"{run.id} has no name now"


def checked_name(text: str) -> str:
    """A name without the blanks around it; UsageError for one that lists could not show."""
    name = text.strip()
    if "\n" in name or not name.isprintable():
        raise UsageError(f"name {name!r}: one line of printable text")
    if len(name) > LONGEST:
        raise UsageError(f"name {name[:20]!r}…: {LONGEST} characters at most, it has {len(name)}")
    return name
