"""``dlkit rename RUN TEXT``: give a run a name."""

from __future__ import annotations

from dlkit.cli.choice import chosen_run, refuse_live, run_parser
from dlkit.cli.common import say
from dlkit.errors import RunError, UsageError
from dlkit.runs.lock import RunLock


def main(argv: list[str]) -> int:
    parser = run_parser("rename", "Give a run a name; its id and folder stay.")
    parser.add_argument("text", metavar="TEXT", help="the new name; empty: none")
    options = parser.parse_args(argv)
    name = options.text.strip()
    if "\n" in name or not name.isprintable():
        raise UsageError(f"name {options.text!r}: one line of printable text")
    run = chosen_run(options)
    try:
        refuse_live(run, run.read())
        with RunLock(run.lock):  # run.json is read and written as a whole: two writers would lose each other's fields
            run.update(name=name)
    except BlockingIOError as error:
        raise RunError(f"{run.id} is running; stop it first") from error
    except (OSError, ValueError) as error:
        raise RunError(f"{run.id}: {error}") from error
    say(f"{run.id} is now named {name!r}" if name else f"{run.id} has no name now")
    return 0
