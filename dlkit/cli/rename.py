"""``dlkit rename RUN TEXT``: give a run a name."""

from __future__ import annotations

from dlkit.cli.choice import chosen_run, refuse_live, run_parser
from dlkit.cli.common import say
from dlkit.errors import RunError, UsageError
from dlkit.runs.folder import RunFolder
from dlkit.runs.lock import RunLock


def main(argv: list[str]) -> int:
    parser = run_parser("rename", "Give a run a name; its id and folder stay.")
    parser.add_argument("text", metavar="TEXT", help="the new name; empty: none")
    options = parser.parse_args(argv)
    _check(options.text.strip())
    say(rename(chosen_run(options), options.text))
    return 0


def rename(run: RunFolder, text: str) -> str:
    """Name a run that nobody writes; returns what was done, in words. DlkitError says why it cannot be."""
    name = text.strip()
    _check(name)
    try:
        refuse_live(run, run.read())
        with RunLock(run.lock):  # run.json is read and written as a whole: two writers would lose each other's fields
            run.update(name=name)
    except BlockingIOError as error:
        raise RunError(f"{run.id} is running; stop it first") from error
    except (OSError, ValueError) as error:
        raise RunError(f"{run.id}: {error}") from error
    return f"{run.id} is now named {name!r}" if name else f"{run.id} has no name now"


def _check(name: str) -> None:
    if "\n" in name or not name.isprintable():
        raise UsageError(f"name {name!r}: one line of printable text")
