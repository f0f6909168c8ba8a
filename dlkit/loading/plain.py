"""What a declaration may hold: plain values, of a size that a person may have written.

A spec is shown, compared, sorted and stored by code that knows nothing of its plugin. A text that is no ``str`` but
behaves as one, a table that computes its keys, or a list in itself would raise there, in somebody else's command.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from itertools import islice
from types import MappingProxyType

from dlkit.components import SPECS, LayoutFile, SourceFile, Spec, Suggest
from dlkit.errors import PluginError

DEPTH = 20
"""Levels of tables and lists in a declaration: a recipe's settings have three."""
VALUES = 100_000
"""Values in a declaration."""
LETTERS = 10_000
"""Letters of a text in it: a citation has some hundreds."""
SHORT = {"name": 100, "title": 200, "summary": 1000}
"""Letters of what is shown in lists."""

_SINGLE = (str, int, float, bool, type(None))
_SEVERAL = (list, tuple, dict, set, frozenset, MappingProxyType)
_RECORDS = (Suggest, SourceFile, LayoutFile)


def check_plain(spec: Spec) -> None:
    """PluginError for a declaration that holds anything but plain values."""
    if type(spec) not in SPECS.values():
        raise PluginError(f"{type(spec).__name__} is a class of the plugin's own, not one of dlkit's specs")
    for item in fields(spec):
        value = vars(spec).get(item.name)
        letters = SHORT.get(item.name, LETTERS)
        if type(value) is not str or len(value) > letters:  # most are, which takes a tenth of looking inside
            _check(f"{spec.kind}'s {item.name}", value, letters)
    _check_tasks(spec)


def _check_tasks(spec: Spec) -> None:
    tasks = (spec.task,) if isinstance(spec.task, str) else spec.task
    if not isinstance(tasks, tuple) or not tasks or not all(isinstance(task, str) for task in tasks):
        raise PluginError(f"{spec.kind} {spec.name!r}: task {spec.task!r} is neither a name nor a tuple of names")
    if type(spec.suggest) is not tuple or not all(isinstance(suggest, Suggest) for suggest in spec.suggest):
        raise PluginError(f"{spec.kind} {spec.name!r}: suggest is not a tuple of Suggest")


def _check(what: str, value: object, letters: int) -> None:
    """Level by level, so that no depth ends in RecursionError."""
    level, count = [value], 0
    for _ in range(DEPTH):
        inside = (inner for outer in level for inner in _inside(what, outer, letters))
        level = list(islice(inside, VALUES))  # a list of the same list again and again costs its maker nothing
        count += len(level)
        if count >= VALUES:
            raise PluginError(f"{what} holds more than {VALUES} values")
        if not level:
            return
    raise PluginError(f"{what} has more than {DEPTH} levels of lists and tables in one another")


def _inside(what: str, value: object, letters: int) -> Iterable[object]:
    kind = type(value)
    if kind is str:
        if len(str(value)) > letters:
            raise PluginError(f"{what} has {len(str(value))} letters: allowed are {letters}")
        return ()
    if kind in _SINGLE:
        return ()
    if kind in (dict, MappingProxyType):
        table: dict[object, object] = value  # type: ignore[assignment]  # its type has just been looked at
        return (*table.keys(), *table.values())
    if kind in _SEVERAL:
        return value  # type: ignore[return-value]  # likewise
    if kind in _RECORDS:
        return vars(value).values()
    told = f"{kind.__module__}.{kind.__qualname__}"
    raise PluginError(f"{what} holds a {told}: allowed are plain texts, numbers, lists and tables")
