"""Your own table: a CSV file with a header and a column to predict."""

from __future__ import annotations

from pathlib import Path

from dlkit.data.context import Context
from dlkit.data.splits import Data
from dlkit.data.tables import RawTable, read_csv
from dlkit.errors import DataError, UsageError, nearest
from dlkit_regression.encoding import fit_category, fit_column
from dlkit_regression.info import Category, Feature
from dlkit_regression.options import FilesConfig
from dlkit_regression.splitting import as_data, by_fraction, fit_target, without_test


def build(config: FilesConfig, context: Context) -> Data:
    path = Path(config.path)
    table = read_csv(path, config.delimiter)
    target = config.target or list(table.columns)[-1]
    _check_names(config, table)
    names = [name for name in table.columns if name not in (target, *config.ignore)]
    if not names:
        raise DataError(f"{path}: no column is left to predict {target!r} from")
    parts = by_fraction(len(table), config, who=str(path), ordered=config.time_ordered)
    columns: list[Feature] = [
        fit_category(table, name) if name in config.categories else fit_column(table, name, parts.seen)
        for name in names
    ]
    chosen = fit_target(table, target, config.unit, parts.seen)
    return as_data(table, columns, chosen, parts, [_note(columns, target), *without_test(parts, config)])


def _check_names(config: FilesConfig, table: RawTable) -> None:
    for option, names in (("target", [config.target]), ("ignore", config.ignore), ("categories", config.categories)):
        for name in names:
            if name and name not in table.columns:
                raise UsageError(
                    f"dataset.{option}: no column {name!r} in {config.path}; {nearest(name, table.columns)}"
                )
    if config.target in config.ignore and config.target:
        raise UsageError(f"dataset.ignore: {config.target!r} is the target")


def _note(columns: list[Feature], target: str) -> str:
    words = [f"{c.name} ({len(c.values)} values)" for c in columns if isinstance(c, Category)]
    numbers = [c.name for c in columns if not isinstance(c, Category)]
    return f"predicts {target}; numbers: {', '.join(numbers) or 'none'}; categories: {', '.join(words) or 'none'}"
