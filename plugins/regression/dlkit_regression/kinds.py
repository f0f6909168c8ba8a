"""What the columns of a table are: numbers, dates, words. What is guessed is said, what is doubtful is refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from dlkit.data import dates, numerals
from dlkit.data.cells import as_number, means_missing, not_a_number
from dlkit.data.numerals import PLAIN, Mark, Numerals, is_plain
from dlkit.data.tables import RawTable
from dlkit_regression.options import FilesConfig

_FIRST_DAY = 19000101
_ZEROS, _LONG = re.compile(r"0\d+"), re.compile(r"[1-9]\d{16,}")
_BEGINS = re.compile(r"\W{0,2}\d")
MAX_VALUES = 256
"""Different values that a column of text may have; one with more is a name, not a category."""


@dataclass(frozen=True)
class Numbers:
    """A column of numbers and their form; ``doubtful``: a cell that would be another number with groups by points."""

    form: Numerals = PLAIN
    doubtful: str = ""


@dataclass(frozen=True)
class Dates:
    """A column of dates."""

    order: dates.Order
    times: bool


@dataclass(frozen=True)
class Words:
    """A column of words or codes."""


Kind = Numbers | Dates | Words


@dataclass
class Kinds:
    """The kind of each column, by name, and what is to be said of them."""

    of: dict[str, Kind] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def kinds_of(table: RawTable, names: Sequence[str], target: str, config: FilesConfig) -> Kinds:
    """What ``names`` and the target are. DataError names the cell of a column that could be two things, or is nearly
    something; every one says which option decides it."""
    found = Kinds()
    for name in names:
        found.of[name] = _kind(table, name, config, found.notes)
    found.of[target] = _numbers(table, target, config, must=True) or Numbers()
    _check_doubtful(table, found)
    found.notes += _written(table, found)
    found.notes += [
        note for name, kind in found.of.items() if isinstance(kind, Numbers) for note in _codes(table, name)
    ]
    return found


def _codes(table: RawTable, name: str) -> list[str]:
    """A note of numbers that lose something as such: zeros in front, digits that float64 does not hold."""
    cells = [str(cell) for cell in table.columns[name]]
    for what, of in (("begin with 0", _ZEROS), ("have more digits than a number keeps", _LONG)):
        rows = [row for row, cell in enumerate(cells) if of.fullmatch(cell)]
        if rows:
            first = f"{cells[rows[0]]!r} ({table.where(rows[0])})"
            return [f"{name}: {len(rows)} of {len(cells)} cells {what}, such as {first}: dataset.categories for codes"]
    return []


def _kind(table: RawTable, name: str, config: FilesConfig, notes: list[str]) -> Kind:
    if name in config.categories:
        return Words()
    if not _known(table, name, config):
        raise table.error(0, name, "no cell of the column has a value: name it in dataset.ignore")
    kind = _dates(table, name, config) or _numbers(table, name, config) or _words(table, name, config)
    if isinstance(kind, Words):
        notes += _number_among_words(table, name, config)
    return kind


def _known(table: RawTable, name: str, config: FilesConfig) -> Sequence[str]:
    if table.plain(name) is not None and not config.missing_words:
        return table.columns[name]  # type: ignore[return-value]  # all text
    return [str(cell) for cell in table.columns[name] if not means_missing(cell, config.missing_words)]


def _row(table: RawTable, name: str, fits: Callable[[str], bool], words: Sequence[str] = ()) -> int:
    """The first row whose cell has a value that fits."""
    cells = enumerate(table.columns[name])
    return next(row for row, cell in cells if not means_missing(cell, words) and fits(str(cell)))


def _dates(table: RawTable, name: str, config: FilesConfig) -> Dates | None:
    if config.dates == "off" or name in (*config.point_columns, *config.comma_columns):
        return None
    plain = table.plain(name)
    if plain is not None and plain.max() < _FIRST_DAY:
        return None
    cells = _known(table, name, config)
    order: dates.Order | None = None if config.date_order == "auto" else config.date_order
    # 20231231 is a number too, unless every one is a day.
    numbers = all(map(is_plain, cells))
    if numbers and (len(set(cells)) < 3 or not all(map(dates.is_compact, cells))):
        return None
    found = dates.guess(cells, order)
    if not numbers and 2 * found.dates < len(cells):
        return None
    if config.dates == "refuse":
        row = _row(table, name, lambda cell: dates.read(cell, found.order) is not None, config.missing_words)
        raise table.error(row, name, f"{table.columns[name][row]!r} is a date: {_DATES}, dataset.ignore leaves it out")
    if found.open:
        row = _row(table, name, lambda cell: cell == found.open)
        raise table.error(row, name, f"{found.open!r} may have day or month first: dataset.date_order = dmy or mdy")
    if found.dates < len(cells):
        row = _row(table, name, lambda cell: dates.read(cell, found.order) is None, config.missing_words)
        raise table.error(row, name, f"{table.columns[name][row]!r} is not a date, as most of the column are: {_ELSE}")
    return Dates(found.order, found.times)


_DATES = "dataset.dates = features makes year, month, day, weekday and hour of it"
_ELSE = (
    "dataset.missing_words names what stands for no value, dataset.categories makes words of the column, "
    "dataset.ignore leaves it out"
)


def _numbers(table: RawTable, name: str, config: FilesConfig, *, must: bool = False) -> Numbers | None:
    """The form of a column of numbers, or None if fewer than half of its cells are numbers."""
    said = _said(name, config)
    cells = _known(table, name, config)
    if config.numbers == "plain" and said is None:
        count = sum(map(is_plain, cells))
        found = numerals.Guess(PLAIN, count)
        many = 2 * count >= len(table)
    else:
        found = numerals.guess(cells, said)
        many = 2 * found.numbers >= len(cells) or name in (*config.point_columns, *config.comma_columns)
    if not (many or must):
        return None
    if found.open:
        row = _row_of(table, name, found.open)
        raise table.error(row, name, _two_readings(str(table.columns[name][row])))
    bad = _bad_cells(table, name, found.form, config)
    if bad:
        missing = len(table) - len(cells)
        counts = f"{len(bad)} such cells" + (f" and {missing} missing ones" if missing else "")
        what = not_a_number(table.columns[name][bad[0]], found.form)
        raise table.error(bad[0], name, f"{what}; {counts} of {len(table)}: {_ELSE}")
    return Numbers(found.form, found.doubtful)


def _bad_cells(table: RawTable, name: str, form: Numerals, config: FilesConfig) -> list[int]:
    """Rows whose cell has a value that is no number of this form."""
    if form.plain and table.plain(name) is not None:
        return []
    cells, words = enumerate(table.columns[name]), config.missing_words
    return [row for row, cell in cells if not means_missing(cell, words) and as_number(cell, form) is None]


def _said(name: str, config: FilesConfig) -> Mark | None:
    """The decimal mark that the options give a column."""
    if name in config.comma_columns:
        return ","
    if name in config.point_columns:
        return "."
    return {"comma": ",", "point": "."}.get(config.numbers)  # type: ignore[return-value]


def _row_of(table: RawTable, name: str, body: str) -> int:
    """The first row whose number has that body, of whatever sign and unit."""
    cells = enumerate(table.columns[name])
    return next(row for row, cell in cells if (found := numerals.take_apart(str(cell))) and found.body == body)


def _two_readings(cell: str) -> str:
    option = "dataset.comma_columns has a decimal comma, dataset.point_columns a decimal point"
    return (
        f"{cell!r} may be a number with a decimal mark or a thousand and more, and no other cell shows which: {option}"
    )


def _check_doubtful(table: RawTable, found: Kinds) -> None:
    """A point before three digits in every cell is a decimal mark, which is said; beside columns with decimal commas it
    is refused."""
    commas = [name for name, kind in found.of.items() if isinstance(kind, Numbers) and kind.form.decimal == ","]
    for name, kind in found.of.items():
        if not (isinstance(kind, Numbers) and kind.doubtful):
            continue
        row = _row_of(table, name, kind.doubtful)
        cell = str(table.columns[name][row])
        if commas:
            raise table.error(row, name, f"{_two_readings(cell)} ({commas[0]!r} has decimal commas)")
        what = f"the points of {name} are taken for decimal points, such as {cell!r} ({table.where(row)})"
        found.notes.append(f"{what}; dataset.comma_columns takes them for thousands")


def _words(table: RawTable, name: str, config: FilesConfig) -> Words:
    values = set(table.words_or_empty(name, config.missing_words))
    if len(values) > MAX_VALUES:
        what = f"text with {len(values)} different values, more than {MAX_VALUES}: name it in dataset.ignore"
        raise table.error(0, name, what)
    return Words()


def _number_among_words(table: RawTable, name: str, config: FilesConfig) -> list[str]:
    rows = [row for row, cell in enumerate(table.columns[name]) if _BEGINS.match(str(cell))]
    if not rows:
        return []
    first = f"{str(table.columns[name][rows[0]])!r} ({table.where(rows[0])})"
    return [f"{name} is taken for words, though {len(rows)} of {len(table)} cells begin as numbers, such as {first}"]


def _written(table: RawTable, found: Kinds) -> list[str]:
    """Notes of numbers that are not written as programs do, a line for each form."""
    forms: dict[Numerals, list[tuple[str, list[int]]]] = {}
    for name, kind in found.of.items():
        plain = table.plain(name) is not None
        if isinstance(kind, Numbers) and not plain and (odd := _odd(table.columns[name], kind.form)):
            forms.setdefault(kind.form, []).append((name, odd))
    return [_form_note(table, form, columns) for form, columns in forms.items()]


def _odd(cells: Sequence[object], form: Numerals) -> list[int]:
    return [row for row, cell in enumerate(cells) if not is_plain(str(cell)) and as_number(cell, form) is not None]


def _form_note(table: RawTable, form: Numerals, columns: Sequence[tuple[str, list[int]]]) -> str:
    name, rows = columns[0]
    cell = str(table.columns[name][rows[0]])
    names = ", ".join(name for name, _ in columns)
    count = sum(len(rows) for _, rows in columns)
    example = f"{cell!r} ({table.where(rows[0])}) is {as_number(cell, form):.10g}"
    option = "dataset.point_columns, comma_columns or categories reads them otherwise"
    return f"numbers with {form.described}: {names}; of {count} cells {example}; {option}"
