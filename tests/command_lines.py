"""Command lines for every command, found by asking the commands themselves: a new one is driven without being named."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import NoReturn
from unittest import mock

from dlkit.cli import module_of
from dlkit.errors import DlkitError

Words = tuple[str, ...]
_NAMES = re.compile(r"There (?:is|are): (.*)")


class _Found(BaseException):
    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self.parser = parser
        super().__init__()


def lines(command: str, runs: Sequence[str], evil: str) -> list[Words]:
    """Each of its flags alone and none, on each of the ``runs``; ``evil`` wherever there is something to be typed."""
    made = [words for head, parser in _divided(command) for words in _lines(head, parser, runs, evil)]
    return sorted(dict.fromkeys(made), key=lambda words: "--yes" in words)  # what deletes comes last


def _divided(command: str) -> Iterator[tuple[Words, argparse.ArgumentParser]]:
    """A command's parser, or those of what it divides into, with the words that lead there."""
    parser = _parser((command,))
    if isinstance(parser, argparse.ArgumentParser):
        yield (command,), parser
        return
    names = _NAMES.search(parser)
    assert names is not None, parser
    for name in names[1].split(", "):
        inner = _parser((command, name))
        if isinstance(inner, argparse.ArgumentParser):
            yield (command, name), inner


def _parser(words: Words) -> argparse.ArgumentParser | str:
    """What a command parses with; or what it says because it does not come to parse."""

    def found(parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        raise _Found(parser)

    module = import_module(module_of(words[0]))
    with mock.patch.multiple(argparse.ArgumentParser, parse_args=found, parse_known_args=found):
        try:
            module.main([*words[1:], "?"])
        except _Found as seen:
            return seen.parser
        except DlkitError as error:
            return str(error)
    return ""


def _lines(head: Words, parser: argparse.ArgumentParser, runs: Sequence[str], evil: str) -> Iterator[Words]:
    positional = [action for action in parser._actions if not action.option_strings]
    needed = [action for action in positional if action.nargs not in ("?", "*")]
    for run in runs if any(action.metavar == "RUN" for action in positional) else ("",):
        full = (*head, *(word for action in positional for word in _typed(action, run, evil)))
        yield full
        yield *head, *(word for action in needed for word in _typed(action, run, evil))
        for flag in parser._actions:
            if flag.option_strings:
                yield *full, flag.option_strings[-1], *([] if flag.nargs == 0 else [evil])
    yield *head, evil
    yield *head, f"--{evil}", evil


def _typed(action: argparse.Action, run: str, evil: str) -> list[str]:
    if action.metavar == "RUN":
        return [run, "last"] if action.nargs == "+" else [run]
    return [str(next(iter(action.choices)))] if action.choices else [evil]
