"""Which run a command means, and what it may do with it."""

from __future__ import annotations

import sys
from argparse import Namespace

from dlkit.cli.parser import Parser
from dlkit.errors import UsageError
from dlkit.present.output import say
from dlkit.runs.finding import find_run
from dlkit.runs.folder import RunFolder
from dlkit.runs.workspace import locate

RUN_HELP = "id, its unique beginning or end, name, tag, last, last~N, TASK@best, or folder"


def run_parser(command: str, description: str) -> Parser:
    """A parser that begins with RUN and knows ``--workspace``."""
    parser = Parser(command, description)
    parser.add_argument("run", metavar="RUN", help=RUN_HELP)
    return parser.with_workspace()


def with_reason(parser: Parser) -> None:
    """``--reason``, which every order takes."""
    parser.add_argument("--reason", metavar="TEXT", default="", help="why; it is on record, with who gave the order")


def chosen_run(options: Namespace) -> RunFolder:
    """The run that the command line names."""
    return find_run(locate(options.workspace), options.run)


def confirm(question: str, yes: bool) -> bool:
    """``--yes``, or a yes at the terminal; UsageError where there is no terminal to ask at."""
    if yes:
        return True
    if not sys.stdin.isatty():
        raise UsageError(f"{question} Nobody to ask here: give --yes")
    say(f"{question} [y/N] ", end="")
    return sys.stdin.readline().strip().lower() in ("y", "yes")
