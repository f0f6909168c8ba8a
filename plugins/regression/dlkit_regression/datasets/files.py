"""Your own table: a CSV file with a header and a column to predict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from dlkit.data.context import Context
from dlkit.data.numerals import PLAIN
from dlkit.data.splits import Data
from dlkit.data.tables import RawTable, Reading, read_csv
from dlkit.errors import DataError, UsageError, nearest
from dlkit_regression.assembling import as_data
from dlkit_regression.columns import Category, Date
from dlkit_regression.fitting import Rows, fit_category, fit_date, fit_number, fit_target
from dlkit_regression.info import Feature
from dlkit_regression.kinds import Dates, Kind, Numbers, kinds_of
from dlkit_regression.missing import settled
from dlkit_regression.options import FilesConfig
from dlkit_regression.splitting import by_config


def build(config: FilesConfig, context: Context) -> Data:
    table = _named(_read(config), config)
    target = config.target or list(table.columns)[-1]
    _check_names(config, table, target)
    apart = _apart(config)
    names = [name for name in table.columns if name not in (target, *config.ignore, *apart)]
    if not names:
        raise DataError(f"{config.path}: no column is left to predict {target!r} from")
    kinds = kinds_of(table, names, target, config)
    kept, left_out = settled(table, kinds, target, config)
    whole, table = table, table.at(kept)
    parts, divided = by_config(whole, kept, config)
    of = Rows.of(parts, config.fit_on, config.missing, config.missing_words)
    columns = [_fit(table, name, kinds.of[name], of, config) for name in names]
    kind = kinds.of[target]
    form = kind.form if isinstance(kind, Numbers) else PLAIN
    chosen = fit_target(table, target, config.unit, parts, of, form)
    notes = [_note(columns, target, apart), *table.notes, *kinds.notes, *left_out, *divided]
    more = {
        "reading": Reading(delimiter=table.delimiter, encoding=config.encoding),
        "missing_words": config.missing_words,
    }
    return as_data(table, columns, chosen, parts, notes, form=form, words=config.missing_words, more=more)


def _read(config: FilesConfig) -> RawTable:
    try:
        return read_csv(Path(config.path), config.delimiter, config.encoding)
    except DataError as error:
        if isinstance(error.__cause__, UnicodeError):
            raise DataError(f"{error} as dataset.encoding") from error
        raise


def _fit(table: RawTable, name: str, kind: Kind, of: Rows, config: FilesConfig) -> Feature:
    if isinstance(kind, Numbers):
        return fit_number(table, name, of, kind.form)
    if isinstance(kind, Dates):
        return fit_date(table, name, of, kind.order, times=kind.times)
    return fit_category(table, name, of, config.unknown)


def _apart(config: FilesConfig) -> list[str]:
    """Columns that say how rows are divided: to learn from them would be to learn the rows by heart."""
    return [name for name in (config.group, config.split_column, config.id_column) if name]


def _named(table: RawTable, config: FilesConfig) -> RawTable:
    """Without columns that have no name: those that are empty, that only count the rows, or that are to be ignored."""
    notes = [*table.notes]
    for position, cells in table.unnamed.items():
        what = f"column {position} has no name"
        if not any(cells):
            notes.append(f"{what} and no values: left out")
        elif position == 1 and _counts(cells):
            notes.append(f"{what} and counts the rows from {cells[0]}: left out; a name in line 1 keeps it")
        elif "" in config.ignore:
            notes.append(f"{what}: left out")
        else:
            raise DataError(
                f"{config.path}, line 1, {what}: it gets one in the file, or dataset.ignore = '' leaves it out"
            )
    if not table.columns:
        raise DataError(f"{config.path}, line 1: no column has a name")
    return replace(table, notes=notes)


def _counts(cells: Sequence[object]) -> bool:
    return any(list(cells) == [str(i) for i in range(first, first + len(cells))] for first in (0, 1))


def _check_names(config: FilesConfig, table: RawTable, target: str) -> None:
    lists = {option: getattr(config, option) for option in ("ignore", "categories", "point_columns", "comma_columns")}
    single = {
        option: [getattr(config, option)] for option in ("target", "group", "stratify", "split_column", "id_column")
    }
    for option, names in {**single, **lists}.items():
        for name in names:
            if name and name not in table.columns:
                raise UsageError(
                    f"dataset.{option}: no column {name!r} in {config.path}; {nearest(name, table.columns)}"
                )
    if target in config.ignore or target in _apart(config):
        raise UsageError(f"dataset.{'ignore' if target in config.ignore else 'target'}: {target!r} is the target")
    both = set(config.point_columns) & set(config.comma_columns)
    if both:
        raise UsageError(f"dataset.comma_columns: {min(both)!r} is in dataset.point_columns too")


def _note(columns: Sequence[Feature], target: str, apart: Sequence[str]) -> str:
    words = [f"{c.name} ({len(c.values)} values)" for c in columns if isinstance(c, Category)]
    dates = [f"{c.name} ({', '.join(c.parts)})" for c in columns if isinstance(c, Date)]
    numbers = [c.name for c in columns if not isinstance(c, (Category, Date))]
    more = [f"dates: {', '.join(dates)}"] if dates else []
    more += [f"not learnt from: {', '.join(apart)}"] if apart else []
    parts = [f"numbers: {', '.join(numbers) or 'none'}", f"categories: {', '.join(words) or 'none'}", *more]
    return f"predicts {target}; {'; '.join(parts)}"
