"""What can go wrong, and the exit code each kind of it has.

| code | meaning |
|---|---|
| 0 | done |
| 1 | the run failed |
| 2 | usage or configuration |
| 3 | data missing, offline or corrupt |
| 4 | a plugin is broken |
| 130 | stopped before its end, checkpoint written |
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple, Self


class DlkitError(Exception):
    """Base of every error meant for the person at the terminal: its text is the whole message.

    ``kind`` names it to programs; ``hint`` is what to do, the end of the text; ``told`` is what is known nevertheless,
    and stands beside the error with ``--json``.
    """

    exit_code = 1
    kind = "error"
    told: Mapping[str, object] = {}
    hint: str = ""

    def hinting(self, hint: str) -> Self:
        """The error, whose text ends with what to do."""
        assert str(self).endswith(hint), hint
        self.hint = hint
        return self

    def knowing(self, told: Mapping[str, object]) -> Self:
        """The error, with what is known nevertheless."""
        self.told = told
        return self


DAMAGE = (
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,  # RecursionError, and links that lead to themselves
    TypeError,
    ValueError,
    DlkitError,
)
"""What it may raise to read a folder that anybody may have made: whoever goes through many of them catches it for each,
so that one cannot hide the others."""


class RunError(DlkitError):
    """A run failed, or what is stored of it cannot be used (truncated checkpoint, unknown format)."""

    exit_code = 1
    kind = "run"


class UsageError(DlkitError):
    """A name, key or value that the user gave is not one of those allowed."""

    exit_code = 2
    kind = "usage"


class Problem(NamedTuple):
    """One setting that is not allowed: its dotted ``key``, the whole line for a terminal, and only why."""

    key: str
    text: str
    reason: str


class SettingError(UsageError):
    """Settings that are not allowed: ``problems`` has the key of each, beside its line of the text."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(problem.text for problem in problems))
        self.problems = tuple(problems)


class DataError(DlkitError):
    """Data is missing, corrupt or malformed, or would need the network while offline."""

    exit_code = 3
    kind = "data"


class PluginError(DlkitError):
    """A plugin could not be loaded, or what it returned breaks its contract."""

    exit_code = 4
    kind = "plugin"


class ComponentError(PluginError):
    """A component's code raised what nobody foresaw: the text names the component, ``__cause__`` is what it raised."""


@contextmanager
def blamed(who: str, passing: Callable[[BaseException], bool] = lambda error: False) -> Iterator[None]:
    """Run a component's code: what it raises unforeseen becomes a ComponentError that names ``who``.

    Errors meant for people pass as they are, and so do those that ``passing`` finds to be nobody's fault.
    """
    try:
        yield
    # The plugin boundary: a stranger's code may raise anything, and SystemExit must not end a run either.
    except (Exception, SystemExit) as error:
        if isinstance(error, DlkitError) or passing(error):
            raise
        raise ComponentError(f"{who}: {in_words(error)}") from error


_HINT = r"\A(.+?)(?:[:;.]? (did you mean [^\n]*|There (?:is|are): [^\n]*)|\n  (usage: .*))\Z"
"""What ``nearest`` says, and how a command is used: the end of a message, which is apart from it."""


def in_parts(kind: str, text: str, hint: str = "") -> dict[str, str]:
    """An error's text for programs: its kind, the message, and what to do, where the text ends with that."""
    import re

    if hint:
        return {"kind": kind, "message": text.removesuffix(hint).rstrip(": "), "hint": hint}
    found = re.match(_HINT, text, re.DOTALL)
    message, *hints = found.groups() if found else (text, None)
    return {"kind": kind, "message": message, "hint": next((hint for hint in hints if hint), "")}


def in_words(error: BaseException) -> str:
    """An error in one line: its type, unless it is meant for people, and the first line of its text."""
    text = next(iter(str(error).strip().splitlines()), "")
    if isinstance(error, DlkitError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


_REFUSALS = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ESTALE)


def is_refusal(error: BaseException) -> bool:
    """Whether it is what the system answers to who may not, or on a disk that is read-only, full or ill: no fault of
    the code that asked."""
    return isinstance(error, OSError) and error.errno in _REFUSALS


def refused(error: OSError) -> str:
    """What the system refused, and why: ``/data/run.json: Permission denied``."""
    return f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror or error)


STOPPED = 130
"""Exit code of a run that was stopped before its end, its checkpoint written."""


NAMED = 5
"""Things that a message names; the rest are counted."""


def listed(head: str, items: Sequence[str]) -> str:
    """``HEAD:`` and the first NAMED items, a line each; how many more there are."""
    more = [f"… and {len(items) - NAMED} more"] if len(items) > NAMED else []
    return "\n".join([f"{head}:", *items[:NAMED], *more])


MOST_NAMES = 100
"""Allowed words that a message names. A hundred are compared with a typed one in a few milliseconds."""


def nearest(word: str, allowed: Iterable[str]) -> str:
    """A sentence that names the allowed words, the nearest first: ``did you mean 'mlp'? There are: cnn, mlp``.

    Of more than MOST_NAMES the first are named and compared, the rest counted: a table may have a million columns.
    """
    import difflib
    from heapq import nsmallest

    words = list(allowed)
    names = nsmallest(MOST_NAMES, words)
    close = difflib.get_close_matches(word[:MOST_NAMES], names, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]!r}? " if close else ""
    more = f", … and {len(words) - len(names)} more" if len(words) > len(names) else ""
    return f"{hint}There {'is' if len(words) == 1 else 'are'}: {', '.join(names) or 'none'}{more}"
