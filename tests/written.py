"""Numbers and tables written as people and programs write them, with what they mean: generators for properties."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal


@dataclass(frozen=True)
class Style:
    """One way to write numbers: marks, digits after the decimal mark, what stands for minus, a unit beside it."""

    decimal: Literal[".", ","] = "."
    groups: str = ""
    places: int = 2
    minus: str = "-"
    before: str = ""
    after: str = ""
    indian: bool = False


STYLES: Sequence[Style] = (
    Style(),
    Style(",", ""),
    Style(",", ".", minus="\u2212"),
    Style(".", ",", minus="()"),
    Style(".", ",", 0),
    Style(",", ".", 0),
    Style(",", ".", 3),
    Style(",", "", 3),
    Style(".", "", 3),
    Style(",", "\u00a0", 1, after="\u00a0\u20ac"),
    Style(",", "\u202f", after=" %"),
    Style(".", "'", before="CHF "),
    Style(".", "\u2019", minus="\u2013"),
    Style(".", ",", before="$"),
    Style(".", ",", indian=True, before="\u20b9"),
    Style(".", "", 1, after="%"),
    Style(",", "", 1, minus="trailing"),
    Style(".", " ", 2, after=" kg"),
)


def styled(number: Decimal, style: Style, plus: bool = False) -> str:
    """A number in a style, with a plus where ``plus`` and the style allow."""
    whole, _, fraction = f"{abs(number):.{style.places}f}".partition(".")
    text = grouped(whole, style) + (style.decimal + fraction if fraction else "")
    text = f"{style.before}{text}{style.after}"
    if number >= 0:
        return f"+{text}" if plus and style.minus in ("-", "\u2212") and number else text
    if style.minus == "()":
        return f"({text})"
    return f"{text}-" if style.minus == "trailing" else f"{style.minus}{text}"


def grouped(digits: str, style: Style) -> str:
    """Digits with the style's groups: threes, or twos before a last three."""
    if not style.groups or len(digits) < 4:
        return digits
    head, last = digits[:-3], digits[-3:]
    size = 2 if style.indian else 3
    first = len(head) % size or size
    parts = [head[:first], *(head[i : i + size] for i in range(first, len(head), size)), last]
    return style.groups.join(parts)


@dataclass(frozen=True)
class Sheet:
    """How a table is written: what separates fields, line ends, encoding, quotes, and what stands around the rows."""

    delimiter: str = ","
    end: str = "\n"
    encoding: str = "utf-8"
    quote_all: bool = False
    says_delimiter: bool = False
    index: bool = False
    trailing: bool = False
    blank: Literal["none", "empty", "delimiters"] = "none"


def sheet_text(sheet: Sheet, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The text of a CSV file: fields quoted where they must be."""
    first = [f"sep={sheet.delimiter}"] if sheet.says_delimiter else []
    lines = [_line(sheet, header, "")]
    for number, row in enumerate(rows):
        lines.append(_line(sheet, row, str(number)))
        if number % 7 == 3 and sheet.blank != "none":
            width = len(header) + sheet.index + sheet.trailing
            lines.append("" if sheet.blank == "empty" else sheet.delimiter * (width - 1))
    return sheet.end.join([*first, *lines, ""])


def _line(sheet: Sheet, cells: Sequence[str], number: str) -> str:
    fields = [*([number] if sheet.index else []), *cells, *([""] if sheet.trailing else [])]
    return sheet.delimiter.join(_quoted(sheet, cell) for cell in fields)


def _quoted(sheet: Sheet, cell: str) -> str:
    must = sheet.quote_all or any(sign in cell for sign in (sheet.delimiter, '"', "\n", "\r"))
    return '"' + cell.replace('"', '""') + '"' if must else cell
