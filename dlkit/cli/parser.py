"""The parser of the commands: its errors are UsageErrors, and it knows the options that many commands have."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from itertools import islice, takewhile
from typing import Any, ClassVar, NoReturn

from dlkit.cli import module_of
from dlkit.durations import seconds
from dlkit.errors import UsageError, in_parts, nearest
from dlkit.present.output import print_result, say

HELP = ("-h", "--help")
_INCOMPLETE = "the following arguments are required"


def asks_for_help(words: Sequence[str]) -> bool:
    """Whether help is asked for anywhere on a line, before ``--``."""
    return any(word in HELP for word in takewhile(lambda word: word != "--", words))


class _Declared(Exception):
    """In the place of parsing, where somebody asks what a command takes."""

    def __init__(self, parser: Parser) -> None:
        super().__init__()
        self.parser = parser


def declared_parser(command: str, *action: str) -> Parser:
    """The parser of a command, or of one of its actions, as it is when a line is to be parsed; nothing is done."""
    Parser.declares = True
    try:
        import_module(module_of(command)).main([*action])
    except _Declared as found:
        return found.parser
    finally:
        Parser.declares = False
    raise AssertionError(f"dlkit {command} does not parse its line")


class Parser(argparse.ArgumentParser):
    """argparse whose errors are UsageErrors: one line, exit code 2, no usage block before it."""

    declares: ClassVar[bool] = False
    """Whether what parses tells of itself instead: shell completion asks every command in one process."""

    def __init__(self, command: str, description: str, **options: Any) -> None:
        options.setdefault("allow_abbrev", False)
        options.setdefault("formatter_class", _formatter)
        super().__init__(prog=f"dlkit {command}", description=description, **options)

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Options may stand anywhere: argparse alone gives ``RUN`` to all of ``RUN INPUT …`` where one follows it."""
        if self.declares:
            raise _Declared(self)
        words = list(sys.argv[1:] if args is None else args)
        if asks_for_help(words):
            self.help_with(words)
        return super().parse_args(self._options_first(words), namespace)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        if self.declares:
            raise _Declared(self)
        return super().parse_known_args(args, namespace)

    def help_with(self, words: Sequence[str], *, others: bool = False) -> NoReturn:
        """The help, whatever else is on the line; what is wrong with that is said, and is no failure.

        ``others``: there are options that this parser does not know.
        """
        self.print_help()
        rest = [word for word in words if word not in HELP]
        try:
            super().parse_known_args(rest) if others else super().parse_args(self._options_first(rest))
        except UsageError as error:
            message = in_parts("usage", str(error))["message"]
            if not message.startswith(_INCOMPLETE):
                say(f"note: {message}")
        raise SystemExit(0)

    def _options_first(self, words: Iterable[str]) -> list[str]:
        """The same words: options with their values, then ``--``, then all others in their order."""
        options: list[str] = []
        others: list[str] = []
        rest = iter(words)
        for word in rest:
            if word == "--":
                others += rest
            elif self._is_input(word):
                others.append(word)
            else:
                options.append(word)
                known = self._option_string_actions.get(word)
                if known is not None and known.nargs is None:
                    options += islice(rest, 1)
        return [*options, "--", *others] if others else options

    def _is_input(self, word: str) -> bool:
        return not word.startswith("-") or word == "-" or bool(self._negative_number_matcher.match(word))

    def error(self, message: str) -> NoReturn:
        what, _, words = message.partition("unrecognized arguments: ")
        if words and not what:
            message = f"{message}: {nearest(words.partition(' ')[0], self._option_string_actions)}{self._of_dashes()}"
        raise UsageError(f"{message}\n  {self.format_usage().strip()}")

    def _of_dashes(self) -> str:
        """How to give an input that looks like an option, where any number of inputs is read."""
        inputs = [str(action.metavar) for action in self._get_positional_actions() if action.nargs == "*"]
        return f". {inputs[0]} that begins with a dash goes after --" if inputs else ""

    def print_help(self, file: object = None) -> None:
        print_result(self.format_help(), end="")

    def explained(self, action: argparse.Action) -> str:
        """What the help says of an option, its default filled in."""
        return self._get_formatter()._expand_help(action) if action.help else ""

    def with_workspace(self) -> Parser:
        self.add_argument("--workspace", metavar="DIR", help="default: $DLKIT_WORKSPACE, else ./workspace")
        return self

    def with_json(self) -> Parser:
        self.add_argument("--json", action="store_true", help="one JSON document on stdout")
        return self

    def with_tables(self) -> Parser:
        """``--csv`` and ``--md``, of which one excludes the other and ``--json``."""
        forms = self.add_mutually_exclusive_group()
        for action in self._actions:
            if action.dest == "json":
                forms._group_actions.append(action)
        forms.add_argument("--csv", action="store_true", help="a table of comma-separated values, numbers in full")
        forms.add_argument("--md", action="store_true", help="a table of Markdown")
        return self


def duration(text: str) -> float:
    """The ``type`` of options that are a number of seconds, or as 9m: at least 0."""
    try:
        value = seconds(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r}: must be 0 or more seconds")
    return value


def _formatter(prog: str) -> argparse.HelpFormatter:
    """argparse's own, given the width: asking the terminal for it imports shutil, 3 ms in every command."""
    try:
        columns = os.get_terminal_size().columns
    except OSError:
        columns = 100
    return argparse.HelpFormatter(prog, width=max(60, min(columns, 120)) - 2)
