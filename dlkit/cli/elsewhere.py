"""Commands about what lies on other machines: ``NAME:RUN``, and ``--on NAME``.

What is asked of a run, or done to it, is done over there by the dlkit there. What only looks looks at the copy here.
"""

from __future__ import annotations

import codecs
from argparse import _AppendAction, _StoreAction
from collections.abc import Callable, Sequence
from pathlib import Path

from dlkit.cli.parser import HELP, declared_parser
from dlkit.errors import STOPPED, UsageError
from dlkit.present.output import print_json, print_json_text, print_result, say
from dlkit.remote.defined import Remote, remote, remotes
from dlkit.runs import mirrors
from dlkit.runs.folder import RunFolder

ONE = ("stop", "pause", "unpause", "set", "ask", "rename", "tag", "note", "evaluate", "resume", "fork")
"""Commands that are carried out over there, whose first word is a run."""
SEVERAL = ("wait", "remove")
"""And whose words all are."""
LOOKING = ("show", "watch", "compare", "report")
"""Commands that look at the copies here."""
ON = ("train", "queue")
"""Commands that take ``--on NAME``."""
_LONG = ("resume", "fork")
"""What trains goes on when nobody looks."""


def elsewhere(command: str, arguments: Sequence[str]) -> int | list[str]:
    """The exit code of what was done over there; or the line for here, with copies in the places of runs."""
    if {*HELP} & {*arguments}:
        return [word for word in arguments if word != "--on"]
    if command in ON and (found := _on(arguments)) is not None:
        there, words = found
        return _train(there, words) if command == "train" else _forward(there, command, words)
    known = remotes()
    named = _named(command, arguments, known)
    if not named:
        return list(arguments)
    if command in LOOKING:
        return _with_copies(command, arguments, named)
    if command not in (*ONE, *SEVERAL, "queue"):
        name, run = next(iter(named.values()))
        raise UsageError(f"{name.name}:{run}: dlkit {command} needs the run itself, which lies on {name.host}: "
                         "its checkpoints are not copied here")  # fmt: skip
    ones = {one.name: one for one, _ in named.values()}
    if len(ones) > 1 or (command in SEVERAL and len(named) < len(_places(command, arguments))):
        raise UsageError(f"dlkit {command}: runs of one machine at a time, not of {', '.join(ones)} and others")
    words = [named[place][1] if place in named else word for place, word in enumerate(arguments)]
    if command in _LONG and not {"--detach", "--queue", "--dry-run"} & {*words}:
        return _then_watch(next(iter(ones.values())), [command, *words])
    return _forward(next(iter(ones.values())), command, words)


def _on(arguments: Sequence[str]) -> tuple[Remote, list[str]] | None:
    """The machine that ``--on NAME`` names, and the line without it."""
    words = list(arguments)
    for place, word in enumerate(words):
        if word == "--on":
            if place + 1 == len(words):
                raise UsageError("--on needs the name of a remote: dlkit remote list")
            return remote(words[place + 1]), [*words[:place], *words[place + 2 :]]
        if word.startswith("--on="):
            return remote(word.partition("=")[2]), [*words[:place], *words[place + 1 :]]
    return None


def _named(command: str, arguments: Sequence[str], known: dict[str, Remote]) -> dict[int, tuple[Remote, str]]:
    """The places of words that name a run of another machine, the machine, and what it is called there."""
    found = {}
    for place in _places(command, arguments):
        name, colon, run = arguments[place].partition(":")
        if colon and name in known:
            found[place] = known[name], run
    return found


def _places(command: str, arguments: Sequence[str]) -> list[int]:
    """Where runs stand on a line."""
    if command == "fork":  # options of its own, after the run
        return [0] if arguments else []
    first = 1 if command in ("queue", "study", "data") else 0
    takes = _taking(command, arguments[:first])
    places, skip = [], False
    for place, word in enumerate(arguments):
        if skip or place < first:
            skip = False
        elif word.startswith("-"):
            skip = word in takes
        else:
            places.append(place)
    many = command in (*SEVERAL, "compare", "report", "queue")
    return places if many else places[:1]


def _taking(command: str, action: Sequence[str]) -> set[str]:
    """Options of a command that take the word after them."""
    try:
        actions = declared_parser(command, *action)._option_string_actions
    except (AssertionError, UsageError):
        return set()
    return {name for name, one in actions.items() if isinstance(one, (_StoreAction, _AppendAction))}


def _with_copies(command: str, arguments: Sequence[str], named: dict[int, tuple[Remote, str]]) -> int | list[str]:
    from dlkit.remote.refreshing import Keepers, fetched

    words = list(arguments)
    for place, (there, run) in named.items():
        copy = fetched(there, run)
        words[place] = str(copy.path)
        if quiet := mirrors.silence(there.name):
            say(f"{there.name}: {quiet}; shown as it was then")
    keepers = Keepers()
    keepers.open({there.name: there for there, _ in named.values()}, lists=False)
    if command == "watch":
        for place in named:
            keepers.watch(RunFolder(Path(words[place])))
    return words


def _forward(there: Remote, command: str, words: Sequence[str]) -> int:
    from dlkit.remote.orders import carry_out

    out, err = _Written(_printed("--json" in words)), _Written(lambda text: say(text, end=""))
    try:
        code = carry_out(there, [command, *words], out.take, err.take)
    except KeyboardInterrupt:
        return STOPPED
    finally:
        out.close()
        err.close()
    return code


def _printed(as_json: bool) -> Callable[[str], None]:
    if as_json:
        return lambda text: print_json_text(text.removesuffix("\n"), flush=True)
    return lambda text: print_result(text, end="", flush=True)


class _Written:
    """Bytes as they come, written as whole lines of text."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""

    def take(self, data: bytes) -> None:
        whole, newline, self._rest = (self._rest + self._decoder.decode(data)).rpartition("\n")
        if newline:
            self._write(whole + newline)

    def close(self) -> None:
        if self._rest:
            self._write(self._rest)


def _train(there: Remote, words: list[str]) -> int:
    """``train --on``: the configuration goes there, whose plugins, data and devices count; then it is looked at."""
    from dlkit.remote.orders import carry_out, sent_along

    if "--print-config" in words:
        out, err = _Written(_printed("--json" in words)), _Written(lambda text: say(text, end=""))
        code = carry_out(there, ["train", *words], out.take, err.take, sent_along(["train", *words]))
        out.close()
        err.close()
        return code
    return _then_watch(there, ["train", *words])


def _then_watch(there: Remote, words: list[str]) -> int:
    """Start what trains over there, and look on; with ``--detach`` or ``--queue`` its name alone."""
    from dlkit.remote.orders import document, sent_along

    leave = {"--detach", "--queue"} & {*words}
    as_json, quiet = "--json" in words, "--quiet" in words
    line = [word for word in words if word != "--json"]
    told = document(there, line if leave else [*line, "--detach"], sent_along(line))
    run = f"{there.name}:{told.get('run')}"
    if leave and as_json:
        print_json({**told, "run": run}, indent=None)
        return 0
    if leave:
        print_result(run, flush=True)
        if not quiet:
            say(f"{run}: {told.get('state')} on {there.host}\n\nnext:\n  dlkit watch {run}\n  dlkit stop {run}")
        return 0
    if not quiet:
        say(f"{run}: started on {there.host}; Ctrl-C detaches, the run goes on there")
    from dlkit.cli import watch

    found = elsewhere("watch", [run, *(["--json"] if as_json else [])])
    assert isinstance(found, list)
    return watch.main(found)
