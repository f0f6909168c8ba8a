"""How a command asks a run: by ``--inference NAME``, with ``--inference.OPTION VALUE``."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from typing import TYPE_CHECKING

from dlkit.cli.parser import Parser, asks_for_help
from dlkit.errors import UsageError

if TYPE_CHECKING:
    from dlkit.use.load import Question

OPTION = "--inference."


def taken(argv: list[str]) -> tuple[list[str], dict[str, str]]:
    """The command line without ``--inference.OPTION VALUE``, and those by option."""
    if asks_for_help(argv):  # also as what seems an option's value
        return [word for word in argv if not word.startswith(OPTION)], {}
    rest: list[str] = []
    options: dict[str, str] = {}
    words = iter(argv)
    for word in words:
        if word == "--":
            return [*rest, word, *words], options
        flag, equals, value = word.partition("=")
        if not flag.startswith(OPTION):
            rest.append(word)
        elif equals or (value := next(words, "")):
            options[flag.removeprefix(OPTION).replace("-", "_")] = value
        else:
            raise UsageError(f"{flag} needs a value")
    return rest, options


def with_inference(parser: Parser) -> None:
    """The flag that names another component than the run's own."""
    parser.add_argument(
        "--inference",
        metavar="NAME",
        default="",
        help="ask with another inference component than the run's own: any that fits its task and model "
        "(dlkit components inference); --inference.OPTION VALUE with another option",
    )


def question_of(options: Namespace, changed: Mapping[str, str]) -> Question:
    """What the command line says of it; imports torch."""
    from dlkit.use.load import Question

    return Question(options.inference, dict(changed), typed=True)
