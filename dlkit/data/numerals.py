"""Numbers as people write them: decimal comma, groups of thousands, currencies, per cent, units, signs of every kind.

A whole column shows what a single cell cannot: ``1,234`` may be 1234 or 1.234, and is one of them for good only where
another cell rules the other out. What stays open is refused, never chosen.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

LONGEST = 80
"""Characters of a number that is not one of Python's: longer texts are words."""

Mark = Literal[".", ","]
Groups = Literal["", ",", ".", " ", "'"]
_FORMS: Sequence[tuple[Mark, Groups]] = (
    (".", ""), (",", ""), (".", ","), (",", "."), (".", " "), (",", " "), (".", "'"), (",", "'"),
)  # fmt: skip
_SAME = str.maketrans(
    {
        **dict.fromkeys("\u00a0\u1680\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000\t", " "),
        **dict.fromkeys("\u2018\u2019\u02bc\u2032\u00b4`\uff07", "'"),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212\ufe63\uff0d", "-"),
        "\uff0b": "+",
        "\uff0c": ",",
        "\uff0e": ".",
        "\uff05": "%",
        "\u066b": ",",  # Arabic decimal mark, group mark and per cent
        "\u066c": ".",
        "\u066a": "%",
        **dict.fromkeys("\u200e\u200f\u061c", None),  # marks of direction, which Arabic and Hebrew tables hold
    }
)
_MONEY = (
    r"(?:[A-Z]{0,3}[$¢£¤¥֏؋৲৳฿៛\u20a0-\u20cf﷼＄￠￡￥￦]|EUR|USD|GBP|CHF|JPY|CNY|RMB|INR|RUB|BRL|CAD|AUD|NZD|MXN|SEK|NOK|DKK"
    r"|PLN|CZK|HUF|RON|TRY|ZAR|KRW|SGD|HKD|ILS|[Kk][rč]\.?|zł|Ft|Fr\.|SFr\.?|Rs\.?|руб\.?|р\.)"
)
_UNIT = r"(?:%|‰|°[CFK]?|[^\W\d_][^\W\d_°²³/·]{0,7}[²³]?(?:/[^\W\d_]{1,5}[²³]?)?)"
_NUMBER = re.compile(
    rf"(?P<open>\()? *(?P<sign>[+-])? *(?P<before>{_MONEY})? *(?P<sign2>[+-])? *"
    r"(?P<body>\d(?:[\d.,' ]*\d)?[.,]?|[.,]\d+)"
    r"(?P<power>[eE][+-]?\d{1,4}| ?[×x*·] ?10\^?[+-]?\d{1,3})?"
    rf" *(?P<after>{_MONEY}|{_UNIT})? *(?P<sign3>-)? *(?P<close>\))?"
)
_NO_CENTS = re.compile(r"(?<=\d)[.,] ?--?(?=[^\d]*\Z)")
"""``12.–`` and ``12,-``: twelve francs, not minus twelve."""
_GROUPED = {
    sign: re.compile(rf"[1-9]\d{{0,2}}(?:{mark}\d{{3}})+|[1-9]\d?(?:{mark}\d\d)+{mark}\d{{3}}")
    for sign, mark in ((",", ","), (".", r"\."), (" ", " "), ("'", "'"))
}
"""Threes, or twos before a last three as in India."""


@dataclass(frozen=True)
class Numerals:
    """How a column's numbers are written. By default as programs write them: what Python's ``float`` reads.

    decimal  between the whole and its fraction
    groups   between groups of thousands; a space stands for all kinds of space
    unit     what stands beside every number: %, €, kg

    A dataclass, which pydantic checks where it is part of an ``info``: an exported model takes it along without that.
    """

    __pydantic_config__: ClassVar[Mapping[str, str]] = {"extra": "forbid"}

    decimal: Mark = "."
    groups: Groups = ""
    unit: str = ""

    def __post_init__(self) -> None:
        if len(self.unit) > LONGEST:
            raise ValueError(f"a unit has at most {LONGEST} characters")

    @property
    def plain(self) -> bool:
        return self == PLAIN

    @property
    def described(self) -> str:
        """``a decimal comma and groups by "."``, for notes and errors."""
        groups = {"": "", " ": " and groups by spaces"}.get(self.groups, f' and groups by "{self.groups}"')
        unit = f", in {self.unit}" if self.unit else ""
        return f"a decimal {'point' if self.decimal == '.' else 'comma'}{groups}{unit}"


PLAIN = Numerals()


@dataclass(frozen=True)
class Written:
    """A number taken apart: ``body`` has digits and marks, ``power`` is of ten, ``money``: its unit is a currency."""

    negative: bool
    body: str
    power: int
    unit: str
    money: bool


def is_plain(text: str) -> bool:
    """Whether programs would write a number so. Python reads 1_000 too; in a table it is a name."""
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text


def take_apart(text: str) -> Written | None:
    """A cell as a number of some form, or None for what is none in any."""
    if len(text) > LONGEST or not any(map(str.isdecimal, text)):
        return None
    text = text.translate(_SAME).strip()
    # float() reads the digits of every script, and so does \d; the rest of this module compares with "1".
    if not text.isascii():
        text = "".join(str(unicodedata.decimal(sign)) if sign.isdecimal() else sign for sign in text)
    found = _NUMBER.fullmatch(_NO_CENTS.sub("", text))
    if found is None:
        return None
    brackets = bool(found["open"]) + bool(found["close"])
    signs = [sign for sign in (found["sign"], found["sign2"], found["sign3"]) if sign]
    # (5) is minus five, as accounts have it; (−5) might be anything.
    if brackets == 1 or len(signs) + brackets // 2 > 1 or (found["before"] and found["after"]):
        return None
    if not found["body"].isdecimal() and all(_as_plain(found["body"], *form) is None for form in _FORMS):
        return None
    unit = found["before"] or found["after"] or ""
    return Written("-" in signs or bool(brackets), found["body"], _power(found["power"]), unit, _is_money(unit))


def _power(text: str | None) -> int:
    if not text:
        return 0
    return int(text[1:] if text[0] in "eE" else text.partition("10")[2].removeprefix("^"))


def _is_money(unit: str) -> bool:
    return bool(unit) and re.fullmatch(_MONEY, unit) is not None


def read(text: str, form: Numerals, *, typed: bool = False) -> float | None:
    """A cell's number as ``form`` has it, or None. ``typed``: by somebody who may write as programs do."""
    if form.plain and is_plain(text):
        return float(text)
    found = take_apart(text)
    if found is None or not _unit_fits(found, form):
        return None
    digits = _digits(found.body, form)
    if digits is None and typed and form.decimal == "," and _digits(found.body, Numerals(groups="")) is not None:
        # 1.5 can only be 1.5; 1.234 may be a thousand and some.
        digits = None if _as_plain(found.body, ",", ".") else _as_plain(found.body, ".", "")
    if digits is None:
        return None
    return float(f"{'-' if found.negative else ''}{digits}e{found.power}")


def _unit_fits(found: Written, form: Numerals) -> bool:
    # A currency may be left out, as in accounts, where it stands in the first line alone. A per cent sign may not:
    # 0.5 beside 50% would be read as half a per cent.
    return found.unit == form.unit or (not found.unit and _is_money(form.unit))


def _digits(body: str, form: Numerals) -> str | None:
    """The body as programs write it. Groups that the column did not have are taken where they leave no doubt."""
    found = _as_plain(body, form.decimal, form.groups)
    if found is None and form.groups not in (" ", "'"):
        found = _as_plain(body, form.decimal, " ") or _as_plain(body, form.decimal, "'")
    if found is None and form.decimal in body and not form.groups:
        found = _as_plain(body, form.decimal, "," if form.decimal == "." else ".")
    return found


def _as_plain(body: str, decimal: str, groups: str) -> str | None:
    whole, _, fraction = body.partition(decimal)
    if groups and groups in whole:
        if not _GROUPED[groups].fullmatch(whole):
            return None
        whole = whole.replace(groups, "")
    if (whole and not whole.isdecimal()) or (fraction and not fraction.isdecimal()) or not (whole or fraction):
        return None
    return f"{whole or '0'}.{fraction or '0'}"


@dataclass(frozen=True)
class Guess:
    """What a column's numbers show. ``open``: a body that other forms, which fit all cells as well, read differently;
    ``doubtful``: a plain one that would be a number of another size if points were groups."""

    form: Numerals
    numbers: int
    open: str = ""
    doubtful: str = ""


def guess(cells: Sequence[str], decimal: Mark | None = None) -> Guess:
    """The form that all cells fit, with ``decimal`` where somebody said so; where none does, the one that fits most.

    ``numbers`` counts the cells that are numbers of any form; the form means nothing where there are few of them.
    """
    # Nearly every column: 0.15 µs a cell, where taking it apart costs 8.
    if decimal != "," and all(map(is_plain, cells)):
        doubtful = "" if decimal else _doubtful(cells)
        # 1.234 beside 829: one that writes three places would write 829.000, and one that groups writes 829.
        mixed = doubtful and any(cell.strip().lstrip("+-").isdecimal() for cell in cells)
        return Guess(PLAIN, len(cells), open=doubtful if mixed else "", doubtful=doubtful)
    found = [written for written in map(take_apart, cells) if written is not None]
    unit, fitting = _common_unit(found)
    bodies = {written.body for written in fitting if not written.body.isdecimal()}
    forms = [form for form in _FORMS if decimal in (None, form[0])]
    possible = [form for form in forms if all(_as_plain(body, *form) for body in bodies)]
    best = possible[0] if possible else max(forms, key=lambda form: sum(_fits(written, form) for written in fitting))
    open_ = "" if (".", "") in possible else _open(bodies, possible)
    every = [written.body for written in fitting]
    doubtful = _doubtful(every) if best == (".", "") and decimal is None else ""
    if doubtful and any(map(str.isdecimal, every)):
        open_ = doubtful
    return Guess(Numerals(decimal=best[0], groups=best[1], unit=unit), len(fitting), open_, doubtful)


def _fits(written: Written, form: tuple[Mark, Groups]) -> bool:
    return _as_plain(written.body, *form) is not None


def _common_unit(found: Sequence[Written]) -> tuple[str, list[Written]]:
    """The unit of most cells, and what counts as a number then: words with digits in front (``4x4``) share none."""
    units = Counter(written.unit for written in found)
    named = {unit: count for unit, count in units.items() if unit}
    unit = max(named, key=lambda name: named[name], default="")
    # With one number alone it is a word: 1st, 3D.
    if not unit.startswith(("%", "‰")) and not _is_money(unit) and len({w.body for w in found if w.unit == unit}) < 2:
        unit = ""
    if not _is_money(unit) and units[""] >= units[unit]:
        unit = ""
    # Of two currencies in one column neither is converted: one is a bad cell.
    allowed = {unit, ""} if _is_money(unit) or not unit else {unit}
    return unit, [written for written in found if written.unit in allowed]


def _open(bodies: Iterable[str], possible: Sequence[tuple[Mark, Groups]]) -> str:
    for body in sorted(bodies):
        if len({float(_as_plain(body, *form) or 0) for form in possible}) > 1:
            return body
    return ""


def _doubtful(cells: Iterable[str]) -> str:
    """A body with a point, if all that have one could be groups of thousands as well."""
    found = ""
    for cell in cells:
        body = cell.strip().lstrip("+-")
        whole = body.isdecimal()
        # Who groups writes no 1234; and of what is no group nobody doubts.
        if len(body) > 3 if whole else not _GROUPED["."].fullmatch(body):
            return ""
        found = found or ("" if whole else body)
    return found
