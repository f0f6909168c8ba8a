"""``dlkit completion SHELL``: the script that a shell reads, and what it asks at a key."""

from __future__ import annotations

import re
from pathlib import Path

from dlkit.cli.complete.answer import (
    FILES,
    Fitting,
    Known,
    Run,
    fitting,
    workspace_runs,
    workspace_studies,
)
from dlkit.cli.complete.scripts import SCRIPTS
from dlkit.cli.parser import Parser
from dlkit.errors import DlkitError
from dlkit.present.output import print_result

_SPECIAL = re.compile(r"([^\w@%+=:,./~-])")
"""Letters that mean something to bash, which takes a value as it is; the others quote by themselves."""
WIDTH = 80
"""Letters of what is said of a value: a menu is no place to read in."""


def main(argv: list[str]) -> int:
    parser = Parser("completion", "Print what a shell needs to complete commands, tasks, options, values and runs.")
    parser.add_argument("shell", metavar="SHELL", choices=list(SCRIPTS), help=f"one of: {', '.join(SCRIPTS)}")
    parser.add_argument("--line", metavar="TEXT", help="what the script asks: a command line as far as the cursor")
    parser.add_argument("--breaks", metavar="LETTERS", default="", help="letters that end a word for bash")
    options = parser.parse_args(argv)
    if options.line is None:
        print_result(SCRIPTS[options.shell], end="")
        return 0
    try:
        found = fitting(_known(), options.line)
    except DlkitError:  # a plugin that is broken, a workspace that is none: a key is no place to say so
        found = []
    for line in dict.fromkeys(_written(found, options)):
        print_result(line)
    return 0


def _written(found: list[Fitting], options: object) -> list[str]:
    if FILES in found:
        return [":files"]
    shell, line, breaks = (getattr(options, name) for name in ("shell", "line", "breaks"))
    if shell == "bash":
        skipped = _skipped(line, breaks)
        return [_SPECIAL.sub(r"\\\1", one.value[skipped:]) for one in found]
    return [f"{one.value}\t{' '.join(one.about.split())[:WIDTH]}" if one.about else one.value for one in found]


def _skipped(line: str, breaks: str) -> int:
    """Letters of the last word that bash keeps: it replaces what follows the last of ``breaks``."""
    from dlkit.cli.complete.answer import split

    word = split(line)[-1]
    return max((word.rfind(letter) + 1 for letter in breaks if not letter.isspace()), default=0)


def _known() -> Known:
    from dlkit.cli.complete import kept

    return Known(kept.commands(), kept.task, _runs, _studies)


def _runs(workspace: str | None) -> list[Run]:
    from dlkit.runs.workspace import locate

    place: Path = locate(workspace)
    return workspace_runs(place) if place.is_dir() else []


def _studies(workspace: str | None) -> list[Fitting]:
    from dlkit.runs.workspace import locate

    return workspace_studies(locate(workspace))
