"""Dates and times of day as people write them, and the numbers that they are made of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

Order = Literal["ymd", "dmy", "mdy"]
PARTS = ("year", "month", "day", "weekday", "hour")
"""What a date is made of; ``weekday`` is 0 for Monday."""

_TIME = (
    r"(?:(?:T| +|, *)(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::\d\d(?:[.,]\d{1,9})?)? *(?P<half>[AaPp]\.?[Mm]\.?)?"
    r" *(?:Z|UTC|GMT|[+-]\d\d:?(?:\d\d)?)?)?"
)
_ISO = re.compile(rf"(?P<y>\d{{4}})(?P<sign>[-/.])(?P<m>\d{{1,2}})(?P=sign)(?P<d>\d{{1,2}})\.?{_TIME}")
_SHORT = re.compile(rf"(?P<a>\d{{1,2}})(?P<sign>[-/.]) ?(?P<b>\d{{1,2}})(?P=sign) ?(?P<y>\d{{4}}|\d\d){_TIME}")
_COMPACT = re.compile(r"(?P<y>(?:19|20)\d\d)(?P<m>\d\d)(?P<d>\d\d)")
_NAMED = re.compile(
    r"(?:(?P<d>\d{1,2})(?:st|nd|rd|th)?[-. /]+(?P<name>[A-Za-z]{3,9})|(?P<name2>[A-Za-z]{3,9})\.? (?P<d2>\d{1,2}))"
    rf"(?:st|nd|rd|th)?[-., /]+(?P<y>\d{{4}}){_TIME}"
)
_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)


@dataclass(frozen=True)
class Moment:
    """A day, and the hour where there is one."""

    day: date
    hour: int | None

    def part(self, name: str) -> float:
        """One of PARTS; the hour of a day alone is 0."""
        if name == "weekday":
            return float(self.day.weekday())
        return float(self.hour or 0) if name == "hour" else float(getattr(self.day, name))


def read(text: str, order: Order) -> Moment | None:
    """A date, or None. ``order`` is that of dates such as 5/4/2023; those with the year first, or with the month's
    English name, are read in any order. Years of two digits are 1969 to 2068, as POSIX has it."""
    text = text.strip()
    if len(text) > 40 or not text[:1].isalnum():
        return None
    if found := _ISO.fullmatch(text):
        return _moment(found, found["m"], found["d"])
    # Of a column that had the year first a day before the month, or after it, would be a guess.
    if order != "ymd" and (found := _SHORT.fullmatch(text)):
        month, day = (found["a"], found["b"]) if order == "mdy" else (found["b"], found["a"])
        return _moment(found, month, day)
    if found := _COMPACT.fullmatch(text):
        return _day(int(found["y"]), int(found["m"]), int(found["d"]), None)
    if found := _NAMED.fullmatch(text):
        return _moment(found, _month(found["name"] or found["name2"]), found["d"] or found["d2"])
    return None


def _month(name: str) -> int:
    """0 for what is no month's name."""
    return next((i for i, month in enumerate(_MONTHS, 1) if name.lower() in (month, month[:3], month[:4])), 0)


def _moment(found: re.Match[str], month: str | int, day: str | int) -> Moment | None:
    # Of a time zone nothing is taken: what hour it was where it was written down is what a day's course shows.
    year = int(found["y"])
    if len(found["y"]) == 2:
        year += 2000 if year < 69 else 1900
    hour = None if found["hour"] is None else int(found["hour"])
    if hour is not None and found["half"]:
        hour = hour % 12 + (12 if found["half"][0] in "pP" else 0)
    if hour is not None and (hour > 23 or int(found["minute"]) > 59):
        return None
    return _day(year, int(month), int(day), hour)


def _day(year: int, month: int, day: int, hour: int | None) -> Moment | None:
    try:
        return Moment(date(year, month, day), hour)
    except ValueError:
        return None


@dataclass(frozen=True)
class Guess:
    """What a column's dates show: their order, how many cells are dates, whether any has a time; ``open``: one that is
    another day if month and day are the other way round, where no cell says which way it is."""

    order: Order
    dates: int
    times: bool
    open: str = ""


def guess(cells: Sequence[str], order: Order | None = None) -> Guess:
    """The order in which more cells are dates, or ``order``. Between points the day is first: nobody writes
    12.31.2023."""
    signs = {found["sign"] for cell in cells if (found := _SHORT.fullmatch(cell.strip()))}
    ways: dict[Order, list[Moment | None]] = {way: [read(cell, way) for cell in cells] for way in ("dmy", "mdy")}
    most = {way: sum(moment is not None for moment in found) for way, found in ways.items()}
    chosen: Order = order or ("mdy" if signs != {"."} and most["mdy"] > most["dmy"] else "dmy")
    undecided = order is None and signs - {"."} and most["dmy"] == most["mdy"]
    pairs = zip(cells, ways["dmy"], ways["mdy"], strict=True)
    open_ = next((cell for cell, one, other in pairs if one != other), "") if undecided else ""
    times = any(moment is not None and moment.hour is not None for moment in ways[chosen])
    return Guess(chosen if signs else "ymd", most[chosen], times, open_)


def is_compact(cell: str) -> bool:
    """Whether it is 20231231: a number too."""
    return _COMPACT.fullmatch(cell.strip()) is not None and read(cell, "ymd") is not None
