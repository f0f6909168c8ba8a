"""What values of a file must be like: kinds that are put together, each of which says what is wrong with a value.

A kind is called with a value and the words for where it stands, and returns what is wrong, or nothing::

    job = fields(priority=whole(-1000, 1000), after=list_of(TEXT))
    job({"priority": 1e9}, "job")  # "job.priority = 1000000000.0 is not a whole number from -1000 to 1000"

What is missing, and what no kind is named for, may be so: formats grow.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

Kind: TypeAlias = Callable[[object, str], str]

STEPS = 1 << 53
"""No count of steps, bytes or lines reaches it, and every number below it is a float too."""
LATEST = 253_402_300_800
"""UTC seconds at the end of the year 9999: no calendar goes on from there."""


def text(value: object, where: str) -> str:
    return "" if isinstance(value, str) else _is_not(value, where, "text")


def switch(value: object, where: str) -> str:
    return "" if isinstance(value, bool) else _is_not(value, where, "true or false")


def anything(value: object, where: str) -> str:
    return ""


def whole(lowest: int = 0, highest: int = STEPS) -> Kind:
    """A whole number, no switch and no float."""

    def wrong(value: object, where: str) -> str:
        if type(value) is int and lowest <= value <= highest:
            return ""
        return _is_not(value, where, f"a whole number from {lowest} to {highest}")

    return wrong


def number(lowest: float = -1e300, highest: float = 1e300) -> Kind:
    """A number that is finite."""

    def wrong(value: object, where: str) -> str:
        if (type(value) is float or type(value) is int) and lowest <= value <= highest:  # never so for NaN
            return ""
        return _is_not(value, where, f"a number from {lowest:g} to {highest:g}")

    return wrong


def measured(value: object, where: str) -> str:
    """What a metric may be: any number, NaN and infinity too."""
    return "" if type(value) is float or type(value) is int else _is_not(value, where, "a number")


def or_none(kind: Kind) -> Kind:
    return lambda value, where: "" if value is None else kind(value, where)


def list_of(kind: Kind) -> Kind:
    def wrong(value: object, where: str) -> str:
        if not isinstance(value, list):
            return _is_not(value, where, "a list")
        return next((found for i, item in enumerate(value) if (found := kind(item, f"{where}[{i}]"))), "")

    return wrong


def table_of(kind: Kind) -> Kind:
    """A table of any keys."""

    def wrong(value: object, where: str) -> str:
        if not isinstance(value, dict):
            return _is_not(value, where, "a table")
        return next((found for key, item in value.items() if (found := kind(item, _inside(where, key)))), "")

    return wrong


def fields(**kinds: Kind) -> Kind:
    """A table; of its keys those that are named here are looked at."""

    def wrong(value: object, where: str) -> str:
        if not isinstance(value, dict):
            return _is_not(value, where, "a table")
        found = (kind(value[key], _inside(where, key)) for key, kind in kinds.items() if key in value)
        return next((wrong for wrong in found if wrong), "")

    return wrong


def _inside(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


def _is_not(value: object, where: str, words: str) -> str:
    shown = repr(value) if isinstance(value, (str, int, float, bool, type(None))) else f"a {type(value).__name__}"
    return f"{where} = {shown if len(shown) <= 50 else shown[:49] + '…'} is not {words}"
